// Tables of what the service lists: cells under headings, and more of them where there are more.
import type { ComponentChildren } from "preact";
import { useEffect, useState } from "preact/hooks";
import { Away, get, Problem } from "./api";
import { useAsked } from "./asking";
import { words } from "./words";

export interface Line {
  key: string;
  cells: ComponentChildren[];
}

/** The first cell of each line names it. */
export function Lines({ heads, lines }: { heads: string[]; lines: Line[] }) {
  return (
    <div class="wide">
      <table class="lines">
        <thead><tr>{heads.map((head) => <th scope="col" key={head}>{head}</th>)}</tr></thead>
        <tbody>
          {lines.map(({ key, cells: [first, ...rest] }) => (
            <tr key={key}>
              <th scope="row">{first}</th>
              {rest.map((cell, index) => <td key={index} data-head={heads[index + 1]}>{cell}</td>)}
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  );
}

interface Page { next: string | null }

interface Shown<Answer extends Page> {
  path: string;
  heads: string[];
  none: string;
  lines: (page: Answer) => Line[];
  everyMs?: number;
  /** Another number has it asked anew. */
  key_?: number;
}

/** A list that comes in pages: the first is asked for again and again, later ones when somebody wants them. */
export function Paged<Answer extends Page>({ path, heads, none, lines, everyMs = 0, key_ = 0 }: Shown<Answer>) {
  const first = useAsked<Answer>(`${path}?limit=10`, everyMs, key_);
  const [later, setLater] = useState<Answer[]>([]);
  const [wrong, setWrong] = useState("");
  useEffect(() => setLater([]), [path, key_]);
  if (!first.answer) return first.problem ? <p role="alert" class="bad">{words.somethingWrong(first.problem.message)}</p> : <p class="soft">{words.loading}</p>;
  const next = (later.at(-1) ?? first.answer).next;
  const more = async (): Promise<void> => {
    try {
      const page = await get<Answer>(path, { query: { limit: 50, cursor: next ?? undefined } });
      setLater([...later, page]);
    } catch (error) {
      if (error instanceof Problem) setWrong(words.somethingWrong(error.message));
      else if (!(error instanceof Away)) throw error;
    }
  };
  // New entries push others over to the next page: what is there twice is shown once.
  const all = [...new Map([first.answer, ...later].flatMap(lines).map((line) => [line.key, line])).values()];
  if (!all.length) return <p class="soft">{none}</p>;
  return (
    <>
      <Lines heads={heads} lines={all} />
      {next && <button type="button" class="more" onClick={() => void more()}>{words.service.more}</button>}
      {wrong && <p role="alert" class="bad">{wrong}</p>}
    </>
  );
}
