// API keys: who has which, when each was last used; make one, revoke one.
import { useRef, useState } from "preact/hooks";
import { ask, Away, post, Problem, type Key, type KeyList, type MadeKey } from "./api";
import { useAsked } from "./asking";
import { Sure } from "./sure";
import { Lines } from "./table";
import { day, words } from "./words";

const SCOPES = ["read", "submit", "in_place", "operator", "metrics", "admin"] as const;

function standing(key: Key): string {
  const said = words.service.keys;
  if (key.revoked_at) return said.revokedAt(day(key.revoked_at));
  if (key.expires_at) return Date.parse(key.expires_at) < Date.now() ? said.expiredAt(day(key.expires_at)) : said.goodUntil(day(key.expires_at));
  return said.good;
}

export function Keys({ owner, changed }: { owner: string; changed: () => void }) {
  const { answer, again } = useAsked<KeyList>("/v1/keys", 0);
  const [made, setMade] = useState<MadeKey>();
  const [wrong, setWrong] = useState("");
  const [asked, setAsked] = useState<Key>();
  const form = useRef<HTMLFormElement>(null);
  const said = words.service.keys;

  const act = async (doIt: () => Promise<void>): Promise<void> => {
    setWrong("");
    try {
      await doIt();
      again();
      changed();
    } catch (error) {
      if (error instanceof Problem) setWrong(words.somethingWrong(error.message));
      else if (!(error instanceof Away)) throw error;
    }
  };
  const make = (event: Event): void => {
    event.preventDefault();
    const fields = new FormData(form.current!);
    const days = Number(fields.get("days"));
    const json = {
      name: fields.get("name"),
      owner: fields.get("owner"),
      scopes: fields.getAll("scope"),
      ...(days ? { expires_at: new Date(Date.now() + days * 86_400e3).toISOString() } : {}),
    };
    void act(async () => {
      setMade(await post<MadeKey>("/v1/keys", { json }));
      form.current?.reset();
    });
  };
  const revoke = (key: Key): void =>
    void act(async () => {
      await ask("DELETE", `/v1/keys/${key.id}`);
      setMade((before) => (before?.id === key.id ? undefined : before));
    });

  return (
    <section class="card" aria-labelledby="keys">
      <h2 id="keys">{said.title}</h2>
      {answer?.keys.length === 0 && <p class="soft">{said.none}</p>}
      {answer && answer.keys.length > 0 && (
        <Lines
          heads={[said.name, said.owner, said.scopes, said.used, said.standing, words.service.act]}
          lines={answer.keys.map((key) => ({
            key: key.id,
            cells: [
              <bdi>{key.name}</bdi>, <bdi>{key.owner}</bdi>, key.scopes.join(", "), key.last_used_at ? day(key.last_used_at) : said.unused, standing(key),
              key.revoked_at ? "" : <button type="button" class="danger" aria-label={`${said.revoke}: ${key.name}`} onClick={() => setAsked(key)}>{said.revoke}</button>,
            ],
          }))}
        />
      )}
      {made && (
        <div role="status" class="made">
          <p><strong>{said.madeOnce}</strong></p>
          <p><code>{made.key}</code></p>
          <button type="button" onClick={() => setMade(undefined)}>{said.noted}</button>
        </div>
      )}
      <details>
        <summary>{said.make}</summary>
        <form ref={form} class="form" onSubmit={make}>
          <p><label for="key-name">{said.name}</label><input id="key-name" name="name" type="text" required maxLength={200} /></p>
          <p><label for="key-owner">{said.owner}</label><input id="key-owner" name="owner" type="text" required maxLength={64} pattern="[a-z0-9][a-z0-9._\-]*" defaultValue={owner} /></p>
          <fieldset>
            <legend>{said.scopes}</legend>
            {SCOPES.map((scope) => (
              <label key={scope} class="check"><input type="checkbox" name="scope" value={scope} defaultChecked={scope === "submit"} /> <span><code>{scope}</code> {said.scope[scope]}</span></label>
            ))}
          </fieldset>
          <p><label for="key-days">{said.days}</label><input id="key-days" name="days" type="text" inputMode="numeric" pattern="[0-9]{1,4}" /></p>
          <p><button class="main">{said.make}</button></p>
        </form>
      </details>
      <p role="alert" class="bad">{wrong}</p>
      {asked && <Sure question={{ text: said.sure(asked.name), yes: said.revoke, act: () => revoke(asked) }} close={() => setAsked(undefined)} />}
    </section>
  );
}
