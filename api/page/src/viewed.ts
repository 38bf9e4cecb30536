// Which photo is open: in the address, from 1, beside what is sought and in which order.
import { useEffect, useState, type Dispatch, type StateUpdater } from "preact/hooks";

const NAME = "photo";

const askedIn = (hash: string): [string, URLSearchParams] => {
  const [place, asked] = hash.split("?");
  return [place!, new URLSearchParams(asked)];
};

/** Its position, from 0. */
export function viewedIn(hash: string): number | undefined {
  const said = askedIn(hash)[1].get(NAME) ?? "";
  return /^[1-9]\d{0,8}$/.test(said) ? Number(said) - 1 : undefined;
}

/** The same address with this photo open, or with none. */
export function hashWith(hash: string, viewed?: number): string {
  const [place, asked] = askedIn(hash);
  asked.delete(NAME);
  if (viewed !== undefined) asked.set(NAME, String(viewed + 1));
  return asked.size ? `${place}?${asked}` : place;
}

/** The photo that is open; a link that is followed opens one as well, and `asked`, what is sought, closes it. */
export function useViewed(asked: string): [number | undefined, Dispatch<StateUpdater<number | undefined>>] {
  const [viewed, setViewed] = useState(() => viewedIn(location.hash));
  useEffect(() => {
    const moved = (): void => setViewed(viewedIn(location.hash));
    addEventListener("hashchange", moved);
    return () => removeEventListener("hashchange", moved);
  }, []);
  useEffect(() => setViewed(viewedIn(location.hash)), [asked]);
  return [viewed, setViewed];
}
