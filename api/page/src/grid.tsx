// Photos in rows, laid out as the report lays them out. Only those near the window are in the document.
import { useEffect, useLayoutEffect, useMemo, useRef, useState } from "preact/hooks";
import type { Photo } from "./api";
import type { Album } from "./outline";
import { facesOf, Picture } from "./pictures";
import { photoRows, type Place } from "./shared/photos";
import { words } from "./words";

/** Of a photo whose shape is not known, width through height. */
const ANY_RATIO = 4 / 3;

const isFew = (from: number, to: number, position: number): boolean => position >= from && position < to;

function Tile({ jobId, photo, place, ratio }: { jobId: string; photo: Photo | undefined; place: Place; ratio: number }) {
  if (!photo) return <><span class="frame" /><span class="caption" /></>;
  const own = photo.width && photo.height ? photo.width / photo.height : ratio;
  const [across, down] = own > ratio ? [1, ratio / own] : [own / ratio, 1];
  return (
    <>
      <span class="frame"><Picture jobId={jobId} photo={photo} alt="" size={{ width: `${100 * across}%`, height: `${100 * down}%` }} /></span>
      <span class="caption" style={{ width: `${place.width}px` }}>
        <span class="name"><bdi>{photo.custom_id.split("/").at(-1) || photo.custom_id}</bdi></span>
        <span class="about">{facesOf(photo)}</span>
      </span>
    </>
  );
}

interface Gridded {
  jobId: string;
  album: Album;
  /** Whether something lies over it, which says what is wanted instead. */
  isBehind: boolean;
  /** The photo that Tab leads to. */
  active: number;
  setActive: (position: number) => void;
  /** Is told which one is chosen. */
  open: (position: number) => void;
}

export function Grid({ jobId, album, isBehind, active, setActive, open }: Gridded) {
  const list = useRef<HTMLUListElement>(null);
  const focus = useRef(false);
  const [width, setWidth] = useState(0);
  const [[from, to], setNear] = useState<[number, number]>([0, 0]);
  const { outline } = album;
  const total = outline?.total ?? 0;
  const shapes = outline?.shapes;
  const ratioAt = (position: number): number => (shapes?.[position] ? shapes[position] / 100 : ANY_RATIO);
  const layout = useMemo(() => photoRows.arrange(width ? total : 0, ratioAt, width), [width, shapes]);

  const look = (): void => {
    if (!list.current) return;
    const above = -list.current.getBoundingClientRect().top;
    const next = photoRows.near(layout.rows, above, innerHeight);
    setNear((before) => (before[0] === next[0] && before[1] === next[1] ? before : next));
  };
  useLayoutEffect(() => {
    const watch = new ResizeObserver(([entry]) => setWidth(Math.round(entry!.contentRect.width)));
    watch.observe(list.current!);
    return () => watch.disconnect();
  }, []);
  useLayoutEffect(() => {
    look();
    let frame = 0;
    const soon = (): void => void (frame ||= requestAnimationFrame(() => ((frame = 0), look())));
    addEventListener("scroll", soon, { passive: true });
    addEventListener("resize", soon);
    return () => {
      cancelAnimationFrame(frame);
      removeEventListener("scroll", soon);
      removeEventListener("resize", soon);
    };
  }, [layout]);
  useEffect(() => void (isBehind || album.want(from, to, active)));

  // Where the keyboard goes the window follows.
  useLayoutEffect(() => {
    if (!focus.current) return;
    focus.current = false;
    const item = list.current?.querySelector<HTMLElement>(`[data-position="${active}"] > button`);
    item?.focus({ preventScroll: true });
    item?.scrollIntoView({ block: "nearest" });
  });
  const onKey = (event: KeyboardEvent): void => {
    if (event.altKey || event.ctrlKey || event.metaKey) return;
    const next = photoRows.target(layout, event.key, active);
    if (next === null) return;
    event.preventDefault();
    focus.current = true;
    setActive(next);
  };

  const shown: number[] = [];
  const reachable = Math.min(active, total - 1);
  if (reachable >= 0 && reachable < from) shown.push(reachable);
  for (let position = from; position < Math.min(to, layout.places.length); position += 1) shown.push(position);
  if (reachable >= to && layout.places[reachable]) shown.push(reachable);
  // The keyboard's place stays while it is there; else Tab leads to the first one seen.
  const isHere = list.current?.contains(document.activeElement) ?? false;
  const stop = isHere || isFew(from, to, reachable) ? reachable : from;
  return (
    <ul class="grid" ref={list} style={{ height: `${layout.height}px` }} onKeyDown={onKey}>
      {shown.map((position) => {
        const photo = album.photo(position);
        const place = layout.places[position];
        if (!place) return null;
        const { left, top, width: across, height } = place;
        return (
          <li key={position} data-position={position} aria-setsize={total} aria-posinset={position + 1} style={{ left: `${left}px`, top: `${top}px`, width: `${across}px`, height: `${height}px` }}>
            <button
              type="button"
              class="tile"
              tabIndex={position === stop ? 0 : -1}
              title={photo?.custom_id}
              aria-busy={photo ? undefined : "true"}
              aria-label={photo ? words.faces.open(photo.custom_id, facesOf(photo)) : words.loading}
              onFocus={() => setActive(position)}
              onClick={() => open(position)}
            >
              <Tile jobId={jobId} photo={photo} place={place} ratio={photoRows.frameRatio(ratioAt(position))} />
            </button>
          </li>
        );
      })}
    </ul>
  );
}
