// One's own webhooks: who is told, the secret that signs it, and what became of each delivery.
import { useState } from "preact/hooks";
import { Away, post, Problem, type Delivery, type DeliveryPage, type MadeSecret, type Webhooks as Hooks } from "./api";
import { useAsked } from "./asking";
import { Receivers } from "./receivers";
import { Paged } from "./table";
import { day, words } from "./words";

export function Webhooks({ changed }: { changed: () => void }) {
  const { answer, again } = useAsked<Hooks>("/v1/webhooks", 0);
  const [asked, setAsked] = useState(0);
  const [secret, setSecret] = useState<MadeSecret>();
  const [url, setUrl] = useState("");
  const [wrong, setWrong] = useState("");
  const said = words.service.webhooks;

  const seen = (): void => {
    again();
    setAsked((times) => times + 1);
    changed();
  };
  const act = async (doIt: () => Promise<unknown>): Promise<void> => {
    setWrong("");
    try {
      await doIt();
      seen();
    } catch (error) {
      if (error instanceof Problem) setWrong(words.somethingWrong(error.message));
      else if (!(error instanceof Away)) throw error;
    }
  };
  const test = (json: { url: string } | { receiver: string }): void => void act(() => post("/v1/webhooks/test", { json }));
  const outcome = (delivery: Delivery): string =>
    [said.states[delivery.state] ?? delivery.state, delivery.status, delivery.problem].filter(Boolean).join(" · ");

  return (
    <section class="card" aria-labelledby="webhooks">
      <h2 id="webhooks">{said.title}</h2>
      {answer && <Receivers receivers={answer.receivers} test={(receiver) => test({ receiver: receiver.id })} done={seen} />}
      {answer && <p class="soft">{answer.secrets[0] ? said.secretOf(day(answer.secrets[0].created_at)) : said.noSecret}</p>}
      {secret && (
        <div role="status" class="made">
          <p><strong>{said.secretOnce}</strong></p>
          <p><code>{secret.secret}</code></p>
          <button type="button" onClick={() => setSecret(undefined)}>{words.service.keys.noted}</button>
        </div>
      )}
      <div class="buttons">
        <button type="button" onClick={() => void act(async () => setSecret(await post<MadeSecret>("/v1/webhooks/secrets")))}>
          {answer?.secrets.length ? said.anotherSecret : said.makeSecret}
        </button>
      </div>
      <form class="form" onSubmit={(event) => (event.preventDefault(), test({ url }))}>
        <p><label for="try-url">{said.tryUrl}</label><input id="try-url" type="text" required value={url} placeholder="https://" onInput={(event) => setUrl(event.currentTarget.value)} /></p>
        <p><button>{said.test}</button></p>
      </form>
      <p role="alert" class="bad">{wrong}</p>
      <h3>{said.deliveries}</h3>
      <Paged<DeliveryPage>
        path="/v1/webhooks/deliveries"
        key_={asked}
        everyMs={5000}
        none={said.noDeliveries}
        heads={[said.event, said.url, said.at, said.outcome, said.attempts, words.service.act]}
        lines={(page) => page.deliveries.map((delivery) => ({
          key: delivery.id,
          cells: [
            delivery.event, <bdi>{delivery.url}</bdi>, day(delivery.created_at), <bdi>{outcome(delivery)}</bdi>, String(delivery.attempts),
            <button type="button" aria-label={`${said.again}: ${delivery.event} ${delivery.url}`} onClick={() => void act(() => post(`/v1/webhooks/deliveries/${delivery.id}/redeliver`))}>{said.again}</button>,
          ],
        }))}
      />
    </section>
  );
}
