// What is left of an erased job.
import { useEffect, useRef } from "preact/hooks";
import type { Erasure } from "./api";
import { count, day, size, words } from "./words";

export function Receipt({ receipt, label }: { receipt: Erasure; label: string }) {
  const head = useRef<HTMLHeadingElement>(null);
  useEffect(() => head.current?.focus(), []);
  const said = words.job.receipt;
  const lines: [string, string][] = [
    [said.id, receipt.job_id],
    [said.at, day(receipt.requested_at)],
    [said.completed, receipt.completed_at ? day(receipt.completed_at) : said.notYet],
    [said.photos, count(receipt.photos)],
    [said.faces, count(receipt.faces)],
    [said.originals, count(receipt.originals)],
    [said.thumbnails, count(receipt.thumbnails)],
    [said.inPlace, count(receipt.in_place)],
    [said.bytes, size(receipt.size_bytes)],
  ];
  return (
    <section class="card receipt">
      <h1 ref={head} tabIndex={-1}>{said.title}</h1>
      <p><bdi>{label}</bdi></p>
      <dl class="details">
        {lines.map(([name, value]) => <div key={name}><dt>{name}</dt><dd>{value}</dd></div>)}
      </dl>
      <p><a href="#/">{words.nav.tonight}</a></p>
    </section>
  );
}
