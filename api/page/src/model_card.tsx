// A bundle's card: what it is, how good it is, where it comes from, on what terms. Texts of its manifest are its makers'.
import type { ComponentChildren } from "preact";
import { useEffect, useRef } from "preact/hooks";
import type { Model, ModelCard, Schemas } from "./api";
import { useAsked } from "./asking";
import { Lines } from "./table";
import { count, percent, rate, size, words } from "./words";

type Fact = [name: string, value: ComponentChildren];

const said = words.service.bundles.card;
const listed = words.service.bundles;

const shown = (part: number | null): string => (part == null ? "–" : percent(part));
const ofFaces = (faces: number | null): string => (faces == null ? "" : ` (${words.job.faces(faces, count(faces))})`);

function Facts({ facts }: { facts: Fact[] }) {
  return <dl class="details">{facts.map(([name, value]) => <div key={name}><dt>{name}</dt><dd>{value}</dd></div>)}</dl>;
}

function calibrated(head: Schemas["Calibrated"]): string {
  const parts = [
    head.certain != null && said.certain(percent(head.certain)),
    head.certain_right != null && said.certainRight(percent(head.certain_right)),
    head.error_after != null && said.error(percent(head.error_after)),
    head.temperature != null && said.temperature(rate(head.temperature)),
  ];
  return parts.filter(Boolean).join("; ");
}

function about(card: ModelCard): Fact[] {
  const facts: Fact[] = [];
  if (card.manifest_name !== card.name) facts.push([said.inResults, <bdi>{card.manifest_name}</bdi>]);
  facts.push([said.network, said.reads(card.architecture ?? "", card.input_size ?? 0)]);
  facts.push([said.ages, (card.age_by_gender ? said.agesByGender : said.agesBy)[card.age_kind ?? ""] ?? card.age_kind]);
  facts.push([listed.size, size(card.size_bytes)]);
  const eight = card.eight_bits;
  if (eight) facts.push([said.eightBits, said.stay(percent(eight.gender), percent(eight.age_group)) + ofFaces(eight.faces)]);
  facts.push([said.digest, <code>{card.sha256}</code>]);
  return facts;
}

function uncertain(card: ModelCard): Fact[] {
  const limits = card.thresholds;
  if (!limits) return [];
  const facts: Fact[] = [
    [said.gender, said.under(percent(limits.gender))],
    [said.age, said.under(percent(limits.age_group))],
    [words.doubts.blurred, said.less(rate(limits.sharpness))],
    [words.doubts.small, said.less(`${count(limits.crop_size_px)} px`)],
    [words.doubts.dark, said.less(percent(limits.brightness))],
    [words.doubts.turned, said.over(`${count(limits.yaw_deg)}°`)],
    [words.doubts.cut_off, said.over(percent(limits.cut_off))],
  ];
  if (card.gender_uncertain_at.length) facts.push([said.everyGenderAt, card.gender_uncertain_at.join(", ")]);
  return facts;
}

/** Which faces were measured: all of a set, or those with a label. */
function whichOf({ on, by, group }: Schemas["Measured"]): string {
  if (by == null) return said.sets[on] ?? on;
  const label = by === "gender" ? ({ female: words.faces.female, male: words.faces.male }[group ?? ""] ?? group) : group;
  return `${said.by[by] ?? by}: ${label}`;
}

function Measured({ card }: { card: ModelCard }) {
  if (!card.measured.length) return <p class="soft">{said.unsaid}</p>;
  return (
    <Lines
      heads={[said.faces, said.number, listed.gender, listed.age, said.near, said.years]}
      lines={card.measured.map((each) => ({
        key: `${each.on} ${each.by} ${each.group}`,
        cells: [
          <bdi>{whichOf(each)}</bdi>,
          each.faces == null ? "–" : count(each.faces), shown(each.gender), shown(each.age8), shown(each.near),
          each.mae == null ? "–" : rate(each.mae),
        ],
      }))}
    />
  );
}

function Texts({ lines }: { lines: Schemas["Line"][] }) {
  return (
    <dl class="texts">
      {lines.map((line, index) => <div key={index}>{line.about && <dt><bdi>{line.about}</bdi></dt>}<dd><bdi>{line.text}</bdi></dd></div>)}
    </dl>
  );
}

function Part({ title, children }: { title: string; children: ComponentChildren }) {
  return <section><h3>{title}</h3>{children}</section>;
}

function Told({ card }: { card: ModelCard }) {
  const calibration: Fact[] = [
    [said.gender, calibrated(card.calibration.gender)] as Fact, [said.age, calibrated(card.calibration.age_group)] as Fact,
  ].filter(([, text]) => text);
  const use = card.commercial_use;
  return (
    <>
      <Part title={said.what}><Facts facts={about(card)} /></Part>
      <Part title={said.howGood}>
        <Measured card={card} />
        {card.remarks.length > 0 && <details><summary>{said.remarks}</summary><Texts lines={card.remarks} /></details>}
      </Part>
      <Part title={said.uncertain}>
        <Facts facts={uncertain(card)} />
        {calibration.length > 0 && <><h4>{said.calibration}</h4><Facts facts={calibration} /></>}
      </Part>
      <Part title={said.from}>
        {card.training.length ? <details><summary>{said.training(card.training.length)}</summary><Texts lines={card.training} /></details> : <p class="soft">{said.unsaid}</p>}
      </Part>
      <Part title={listed.licence}>
        <p>{card.not_said.includes("licence") ? <span class="soft">{said.unsaid}</span> : <bdi>{card.licence}</bdi>}</p>
        {use && <p>{listed.commercial}: {listed.allowed[use.allowed] ?? use.allowed}: <bdi>{use.reason}</bdi></p>}
        {card.notices.length > 0 && <details><summary>{said.notices}</summary><Texts lines={card.notices} /></details>}
      </Part>
      {card.not_said.length > 0 && (
        <Part title={said.silent}><ul class="silent">{card.not_said.map((part) => <li key={part}>{said.notSaid[part] ?? part}</li>)}</ul></Part>
      )}
    </>
  );
}

export function Card({ of, close }: { of: Model; close: () => void }) {
  const dialog = useRef<HTMLDialogElement>(null);
  // Two of a name differ in whether they are in use.
  const { answer, problem } = useAsked<ModelCard>(`/v1/models/${encodeURIComponent(of.name)}?in_use=${of.in_use}`, 0);
  useEffect(() => dialog.current?.showModal(), []);
  return (
    <dialog ref={dialog} class="card model-card" aria-labelledby="model-card" onClose={close}>
      <div class="section-head">
        <h2 id="model-card"><bdi>{of.name}</bdi> {of.in_use && <span class="badge running">{listed.inUse}</span>}</h2>
        <button type="button" onClick={() => dialog.current?.close()}>{words.faces.close}</button>
      </div>
      {problem && <p role="alert" class="bad">{words.somethingWrong(problem.message)}</p>}
      {answer?.error && <p class="bad">{said.broken(answer.error.message)}</p>}
      {answer ? !answer.error && <Told card={answer} /> : !problem && <p class="soft">{words.loading}</p>}
    </dialog>
  );
}
