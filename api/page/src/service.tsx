// The service, for whoever runs it: what works, how much it did, who may use it, what goes when, who did what.
import { useEffect, useState } from "preact/hooks";
import type { AuditPage, ErasurePage, ExpiringList, History, Model, ModelList, Overview } from "./api";
import { useAsked } from "./asking";
import { Keys } from "./keys";
import type { Rights } from "./main";
import { Card } from "./model_card";
import { Lines, Paged } from "./table";
import { Webhooks } from "./webhooks";
import { clockOf, count, day, rate, size, words } from "./words";

const EVERY_MS = 5000;
const WIDTH = 24;
const HEIGHT = 10;

function Workers({ overview }: { overview: Overview }) {
  const said = words.service.workers;
  const { load } = overview;
  return (
    <section class="card" aria-labelledby="workers">
      <h2 id="workers">{said.title}</h2>
      <p class="facts">
        <span>{said.claimable(load.claimable_photos, count(load.claimable_photos))}</span>
        {load.photos_per_second != null && <span>{words.job.rate(rate(load.photos_per_second))}</span>}
        {overview.disks?.map((disk) => (
          <span key={disk.holds.join()}>{said.disk(disk.holds.map((part) => said.parts[part] ?? part).join(", "), size(disk.free_bytes), size(disk.size_bytes))}</span>
        ))}
      </p>
      {overview.workers?.length ? (
        <Lines
          heads={[said.host, said.kind, said.device, said.standing, said.held, said.done]}
          lines={overview.workers.map((worker) => ({
            key: worker.id,
            cells: [
              <bdi>{worker.host}</bdi>, said.kinds[worker.kind] ?? worker.kind, String(worker.about.device ?? "–"),
              worker.alive ? said.since(day(worker.started_at)) : said.gone(day(worker.stopped_at ?? worker.seen_at)), count(worker.photos_held), count(worker.photos_done),
            ],
          }))}
        />
      ) : <p class="soft">{said.none}</p>}
    </section>
  );
}

function Day({ history }: { history: History }) {
  const said = words.service.day;
  const { hours } = history;
  const most = Math.max(1, ...hours.map((hour) => hour.succeeded + hour.failed));
  const all = hours.reduce((sum, hour) => sum + hour.succeeded + hour.failed, 0);
  const high = (n: number): number => (HEIGHT * n) / most;
  return (
    <section class="card" aria-labelledby="day">
      <h2 id="day">{said.title}</h2>
      <p>{said.all(all, count(all))}</p>
      <figure class="day" aria-hidden="true">
        <svg viewBox={`0 0 ${WIDTH} ${HEIGHT}`} preserveAspectRatio="none">
          {hours.map((hour, index) => (
            <g key={hour.begins_at}>
              <rect class="done" x={index + 0.1} width={0.8} y={HEIGHT - high(hour.succeeded)} height={high(hour.succeeded)} />
              <rect class="undone" x={index + 0.1} width={0.8} y={HEIGHT - high(hour.succeeded + hour.failed)} height={high(hour.failed)} />
            </g>
          ))}
        </svg>
        <figcaption class="soft">{hours.filter((_, index) => index % 6 === 0).map((hour) => <span key={hour.begins_at}>{clockOf(hour.begins_at)}</span>)}</figcaption>
      </figure>
      <details>
        <summary>{said.table}</summary>
        <Lines
          heads={[said.hour, said.succeeded, said.failed]}
          lines={hours.map((hour) => ({ key: hour.begins_at, cells: [clockOf(hour.begins_at), count(hour.succeeded), count(hour.failed)] }))}
        />
      </details>
    </section>
  );
}

function Bundles() {
  const { answer } = useAsked<ModelList>("/v1/models", 0);
  const [opened, setOpened] = useState<Model>();
  const said = words.service.bundles;
  const per = (share: number | null): string => (share == null ? "–" : `${rate(100 * share)} %`);
  return (
    <section class="card" aria-labelledby="bundles">
      <h2 id="bundles">{said.title}</h2>
      {answer ? (
        <Lines
          heads={[said.name, said.licence, said.commercial, said.gender, said.age, said.size, words.service.act]}
          lines={answer.models.map((model) => ({
            key: `${model.name} ${model.in_use}`,
            cells: [
              <><bdi>{model.name}</bdi> {model.in_use && <span class="badge running">{said.inUse}</span>}</>,
              model.error ? <span class="bad">{model.error.message}</span> : (model.licence ?? "–"),
              model.commercial_use ? `${said.allowed[model.commercial_use.allowed] ?? model.commercial_use.allowed}: ${model.commercial_use.reason}` : "–",
              per(model.metrics.gender), per(model.metrics.age8), size(model.size_bytes),
              <button type="button" aria-label={`${said.card.open}: ${model.name}`} onClick={() => setOpened(model)}>{said.card.open}</button>,
            ],
          }))}
        />
      ) : <p class="soft">{words.loading}</p>}
      {opened && <Card of={opened} close={() => setOpened(undefined)} />}
    </section>
  );
}

function Expiring({ rights }: { rights: Rights }) {
  const { answer } = useAsked<ExpiringList>("/v1/expiring", 60_000);
  const said = words.service.expiring;
  return (
    <section class="card" aria-labelledby="expiring">
      <h2 id="expiring">{said.title}</h2>
      {answer?.expiring.length === 0 && <p class="soft">{said.none}</p>}
      {answer && answer.expiring.length > 0 && (
        <Lines
          heads={[said.job, said.owner, said.what, said.at]}
          lines={answer.expiring.slice(0, 20).map((each) => {
            const label = <bdi>{each.label ?? words.job.unnamed}</bdi>;
            return {
              key: `${each.job_id} ${each.what}`,
              cells: [each.owner === rights.owner ? <a href={`#/jobs/${each.job_id}`}>{label}</a> : label, <bdi>{each.owner}</bdi>, said.whats[each.what] ?? each.what, day(each.at)],
            };
          })}
        />
      )}
    </section>
  );
}

export function Service({ rights }: { rights: Rights }) {
  const overview = useAsked<Overview>("/v1/overview?limit=1", EVERY_MS);
  const history = useAsked<History>("/v1/history", 30_000).answer;
  const [done, setDone] = useState(0);
  const said = words.service;
  const changed = (): void => setDone((times) => times + 1);
  useEffect(() => void (document.title = `${said.title} · Nightshift`), []);
  return (
    <>
      <h1>{said.title}</h1>
      {overview.problem && <p role="alert" class="bad">{words.somethingWrong(overview.problem.message)}</p>}
      {overview.answer && <Workers overview={overview.answer} />}
      {history && <Day history={history} />}
      <Keys owner={rights.owner} changed={changed} />
      <Webhooks changed={changed} />
      <Expiring rights={rights} />
      <Bundles />
      <section class="card" aria-labelledby="receipts">
        <h2 id="receipts">{said.receipts.title}</h2>
        <Paged<ErasurePage>
          path="/v1/erasures"
          none={said.receipts.none}
          heads={[said.receipts.job, said.receipts.owner, said.receipts.why, said.receipts.at, said.receipts.photos, said.receipts.bytes, said.receipts.completed]}
          lines={(page) => page.erasures.map((receipt) => ({
            key: receipt.job_id,
            cells: [
              <code>{receipt.job_id}</code>, <bdi>{receipt.owner}</bdi>, said.receipts.reasons[receipt.reason] ?? receipt.reason, day(receipt.requested_at),
              count(receipt.photos), size(receipt.size_bytes), receipt.completed_at ? day(receipt.completed_at) : words.job.receipt.notYet,
            ],
          }))}
        />
      </section>
      <section class="card" aria-labelledby="audit">
        <h2 id="audit">{said.audit.title}</h2>
        <Paged<AuditPage>
          path="/v1/audit"
          everyMs={EVERY_MS}
          key_={done}
          none={said.audit.none}
          heads={[said.audit.what, said.audit.subject, said.audit.owner, said.audit.who, said.audit.from, said.audit.at]}
          lines={(page) => page.entries.map((entry) => ({
            key: entry.id,
            cells: [
              said.audit.verbs[entry.verb] ?? entry.verb, entry.subject ? <code>{entry.subject}</code> : "–", <bdi>{entry.owner}</bdi>,
              <bdi>{entry.key_id ?? entry.person ?? said.audit.kinds[entry.kind] ?? entry.kind}</bdi>, entry.address ?? "–", day(entry.at),
            ],
          }))}
        />
      </section>
    </>
  );
}
