// What is sought among the photos: in the address, so that a link can be sent, and in controls above the grid.
import { useEffect, useState } from "preact/hooks";
import type { Asked } from "./api";
import { isMeant } from "./sought_values";
import { rate, words } from "./words";

const SURE = ["min_confidence", "min_gender_probability", "min_age_group_probability", "min_quality"] as const;
const NAMES = ["status", "search", "gender", "age_group", "uncertain", "faces", "folder", "sort", ...SURE] as const;
type Name = (typeof NAMES)[number];
export type Sought = Partial<Record<Name, string>>;

const AGES = ["0-4", "5-9", "10-19", "20-29", "30-39", "40-49", "50-64", "65+"];
const TYPING_MS = 300;
/** `quality.sharpness` of a sharp face is about 1. */
const SHARPEST = 2;

/** As the address says it; what it does not know is left out. */
export function soughtOf(hash: string): Sought {
  const said = new URLSearchParams(hash.split("?")[1] ?? "");
  return Object.fromEntries(NAMES.flatMap((name) => (isMeant(name, said.get(name) ?? "") ? [[name, said.get(name)!]] : [])));
}

/** What is only how it is shown, and seeks nothing. */
export const isAll = (sought: Sought): boolean => NAMES.every((name) => name === "sort" || !sought[name]);

/** As the API is asked; `faces` is `2` for exactly two, `2-` for two or more; `sort` is `-name` for the other way round. */
export function queryOf({ faces, sort, ...sought }: Sought): NonNullable<Asked["query"]> {
  const [least, open] = [faces?.replace("-", ""), faces?.endsWith("-")];
  const ordered = sort?.startsWith("-") ? { sort: sort.slice(1), reverse: "true" } : { sort };
  return { ...sought, ...ordered, min_faces: least, max_faces: open ? undefined : least };
}

/** What is sought, and how to seek something else; a link that is followed changes it as well. */
export function useSought(): [Sought, (sought: Sought) => void] {
  const [sought, setSought] = useState(() => soughtOf(location.hash));
  useEffect(() => {
    const moved = (): void => setSought(soughtOf(location.hash));
    addEventListener("hashchange", moved);
    return () => removeEventListener("hashchange", moved);
  }, []);
  const seek = (wanted: Sought): void => {
    const kept = NAMES.flatMap((name): [string, string][] => (wanted[name] ? [[name, wanted[name]]] : []));
    const place = location.hash.split("?")[0]!;
    // No step of the history, nor a jump to the top, for each letter of a name.
    history.replaceState(history.state, "", kept.length ? `${place}?${new URLSearchParams(kept)}` : place);
    setSought(Object.fromEntries(kept));
  };
  return [sought, seek];
}

function Choice({ name, label, options, sought, seek }: { name: Name; label: string; options: [string, string][]; sought: Sought; seek: (sought: Sought) => void }) {
  const now = sought[name] ?? "";
  // Also what only an address says, so that it is seen.
  const all = options.some(([value]) => value === now) ? options : [...options, [now, now] as const];
  return (
    <div>
      <label for={`sought-${name}`}>{label}</label>
      <select id={`sought-${name}`} value={now} onChange={(event) => seek({ ...sought, [name]: event.currentTarget.value })}>
        {all.map(([value, text]) => <option key={value} value={value}>{text}</option>)}
      </select>
    </div>
  );
}

interface Limit { name: Name; label: string; most?: number; shows?: (value: number) => string; sought: Sought; seek: (sought: Sought) => void }

const perCent = (value: number): string => words.faces.atLeast(Math.round(100 * value));

/** How sure the detector, and each label, is to be, or how sharp a face: in hundredths, of nothing for no matter. */
function Least({ name, label, most = 1, shows = perCent, sought, seek }: Limit) {
  const [shown, setShown] = useState(sought[name] ?? "0");
  useEffect(() => setShown(sought[name] ?? "0"), [sought[name]]);
  const id = `sought-${name}`;
  return (
    <div>
      <label for={id}>{label} <output for={id}>{Number(shown) > 0 ? shows(Number(shown)) : words.faces.any}</output></label>
      <input
        id={id}
        type="range"
        min="0"
        max={most}
        step="0.01"
        value={shown}
        onInput={(event) => setShown(event.currentTarget.value)}
        onChange={(event) => seek({ ...sought, [name]: Number(event.currentTarget.value) > 0 ? event.currentTarget.value : "" })}
      />
    </div>
  );
}

/** `folders` are those of the job, as far as there are several. */
export function Filters({ sought, seek, folders }: { sought: Sought; seek: (sought: Sought) => void; folders: readonly string[] }) {
  const said = words.faces;
  const [typed, setTyped] = useState(sought.search ?? "");
  useEffect(() => setTyped(sought.search ?? ""), [sought.search]);
  useEffect(() => {
    if (typed === (sought.search ?? "")) return;
    const timer = setTimeout(() => seek({ ...sought, search: typed }), TYPING_MS);
    return () => clearTimeout(timer);
  }, [typed]);
  const both = { sought, seek };
  const any: [string, string] = ["", said.any];
  return (
    <form class="filter" role="search" onSubmit={(event) => event.preventDefault()}>
      <Choice {...both} name="status" label={said.filter} options={[["", said.every], ["failed", said.failed]]} />
      <div>
        <label for="sought-search">{said.name}</label>
        <input id="sought-search" type="search" dir="auto" value={typed} maxLength={200} onInput={(event) => setTyped(event.currentTarget.value)} />
      </div>
      <Choice {...both} name="gender" label={said.gender} options={[any, ["female", said.female], ["male", said.male]]} />
      <Choice {...both} name="age_group" label={said.age} options={[any, ...AGES.map((age): [string, string] => [age, age])]} />
      <Choice {...both} name="uncertain" label={said.doubt} options={[["", said.noDoubt], ["gender", said.gender], ["age_group", said.age], ["any", said.eitherDoubt]]} />
      <Choice {...both} name="faces" label={said.title} options={[any, ["0", "0"], ["1", "1"], ["2-", "2+"], ["3-", "3+"], ["5-", "5+"], ["10-", "10+"]]} />
      {(folders.length > 1 || sought.folder) && (
        <Choice {...both} name="folder" label={said.folder} options={[any, ...[...new Set([...folders, ...(sought.folder ? [sought.folder] : [])])].map((folder): [string, string] => [folder, folder])]} />
      )}
      <Choice
        {...both}
        name="sort"
        label={said.sort}
        options={[["", said.asAdded], ["name", said.name], ["time", said.oldest], ["-time", said.newest], ["-faces", said.mostFaces], ["faces", said.fewestFaces], ["least_sure", said.leastSure]]}
      />
      <details class="more" open={SURE.some((name) => sought[name])}>
        <summary>{said.sureness}</summary>
        <div class="filter">
          <Least {...both} name="min_confidence" label={said.sure} />
          <Least {...both} name="min_gender_probability" label={said.gender} />
          <Least {...both} name="min_age_group_probability" label={said.age} />
          <Least {...both} name="min_quality" label={said.sharpness} most={SHARPEST} shows={(value) => said.atLeastSo(rate(value))} />
        </div>
      </details>
      {Object.keys(sought).length > 0 && <button type="button" onClick={() => seek({})}>{said.everything}</button>}
    </form>
  );
}
