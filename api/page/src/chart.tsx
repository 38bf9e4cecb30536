// A chart, the same numbers as a table, and both to take away.
import type { ComponentChildren } from "preact";
import { useEffect, useLayoutEffect, useRef, useState } from "preact/hooks";
import { save, savePicture } from "./saving";
import type { Bar, Plot } from "./shared/plots";
import { words } from "./words";

/** Of one chart; more are in the table and the CSV. */
const MOST_BARS = 48;
const ON_PAPER = 640;

interface Charted {
  /** Of the files that are saved, without an ending. */
  name: string;
  title: string;
  /** What else there is to say of it. */
  note?: string;
  plot: Plot;
  bars: Bar[];
  /** Heads of the table, then its rows: as saved, and, where it is otherwise on the page, as shown. */
  heads: string[];
  rows: string[][];
  shown?: ComponentChildren[][];
}

export function Chart({ name, title, note, plot, bars, heads, rows, shown }: Charted) {
  const place = useRef<HTMLDivElement>(null);
  const [width, setWidth] = useState(0);
  const said = words.charts;
  const some = bars.slice(0, MOST_BARS);
  useEffect(() => {
    const watch = new ResizeObserver(([entry]) => setWidth(Math.floor(entry!.contentRect.width)));
    watch.observe(place.current!);
    return () => watch.disconnect();
  }, []);
  useLayoutEffect(() => {
    place.current!.replaceChildren(plot(some, width || ON_PAPER, said.summary(title)));
  }, [width, JSON.stringify(some), title]);
  return (
    <figure class="chart">
      <figcaption class="section-head">
        <h3>{title}</h3>
        <span class="buttons">
          <button type="button" class="quiet" aria-label={said.savePicture(title)} onClick={() => void savePicture(`${name}.png`, place.current!.querySelector("svg")!, title)}>PNG</button>
          <button type="button" class="quiet" aria-label={said.saveTable(title)} onClick={() => save(`${name}.csv`, [heads, ...rows])}>CSV</button>
        </span>
      </figcaption>
      {note && <p class="soft">{note}</p>}
      <div class="plot" ref={place} />
      {bars.length > MOST_BARS && <p class="soft">{said.more(bars.length - MOST_BARS)}</p>}
      <details class="more">
        <summary>{said.asTable}</summary>
        <div class="wide" tabIndex={0} role="region" aria-label={title}>
          <table>
            <thead><tr>{heads.map((head) => <th key={head} scope="col">{head}</th>)}</tr></thead>
            <tbody>
              {(shown ?? rows).map(([first, ...rest], index) => (
                <tr key={index}><th scope="row"><bdi>{first}</bdi></th>{rest.map((cell, column) => <td key={column}>{cell}</td>)}</tr>
              ))}
            </tbody>
          </table>
        </div>
      </details>
    </figure>
  );
}
