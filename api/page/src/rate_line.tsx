// The rate as a line, from what was seen since somebody looks: the service keeps no history of it.
import { useEffect, useRef, useState } from "preact/hooks";
import type { Job } from "./api";
import { rate, words } from "./words";

const MOST = 300;
const WIDTH = 600;
const HEIGHT = 60;

export function RateLine({ job }: { job: Job }) {
  const seen = useRef<{ at: number; rate: number }[]>([]);
  const [, draw] = useState(0);
  useEffect(() => {
    if (job.state === "ended" || job.photos_per_second == null) return;
    seen.current = [...seen.current, { at: Date.now(), rate: job.photos_per_second }].slice(-MOST);
    draw((times) => times + 1);
  }, [job]);
  const points = seen.current;
  const [first, last] = [points[0], points.at(-1)];
  if (!first || !last || points.length < 3) return null;
  const highest = Math.max(...points.map((point) => point.rate)) || 1;
  const line = points
    .map((point) => {
      const x = (WIDTH * (point.at - first.at)) / (last.at - first.at || 1);
      return `${x.toFixed(1)},${(HEIGHT - 2 - ((HEIGHT - 4) * point.rate) / highest).toFixed(1)}`;
    })
    .join(" ");
  return (
    <figure class="rate">
      <figcaption class="soft"><span>{words.job.rateLine}</span><span>{words.job.rateMost(rate(highest))}</span></figcaption>
      <svg viewBox={`0 0 ${WIDTH} ${HEIGHT}`} preserveAspectRatio="none" role="img" aria-label={words.job.rateNow(rate(last.rate))}>
        <polyline points={line} />
      </svg>
    </figure>
  );
}
