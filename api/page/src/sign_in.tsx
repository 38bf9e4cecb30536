// Signing in: by key, by the link that `nightshift serve` printed, whose secret is behind the `#`, or with a provider.
import { useEffect, useRef, useState } from "preact/hooks";
import { Away, address, post, Problem, type SignIn } from "./api";
import { words } from "./words";

/** The link's secret, taken out of the address and the history, where it must not stay. */
function takeLink(): string | undefined {
  const found = /^#link=(.+)$/.exec(location.hash);
  if (found) history.replaceState(null, "", location.pathname);
  return found?.[1];
}

/** Why the provider's way back ended here, taken out of the address; the words are ours, whatever stands there. */
function takeRefusal(): string {
  const found = /^#refused=(\w+)$/.exec(location.hash);
  if (!found) return "";
  history.replaceState(null, "", location.pathname);
  return words.signIn.refused[found[1]!] ?? words.signIn.brokenOff;
}

/** Where one was, to come back to; without what a link of another's might have put there. */
const place = (): string | undefined => /^#\/([\w/?=&%.+~-]{1,1000})$/.exec(location.hash)?.[1];

interface Props {
  ended: boolean;
  provider: string | null | undefined;
  done: (signIn: SignIn) => void;
}

export function SignInForm({ ended, provider, done }: Props) {
  const [wrong, setWrong] = useState("");
  const [busy, setBusy] = useState(false);
  const field = useRef<HTMLInputElement>(null);

  const send = async (json: { key: string } | { link: string }): Promise<void> => {
    setBusy(true);
    setWrong("");
    try {
      done(await post<SignIn>("/v1/session", { json }));
    } catch (error) {
      if (error instanceof Problem) {
        const said: Record<string, string> = {
          unauthorized: words.signIn.wrong,
          sign_in_link_used: words.signIn.linkUsed,
          invalid_fields: words.signIn.wrong,
        };
        setWrong(said[error.code] ?? error.message);
      } else if (error instanceof Away) setWrong(words.away);
      else throw error;
      setBusy(false);
      field.current?.focus();
    }
  };

  useEffect(() => {
    // Only now, so that screen readers say it.
    setWrong(takeRefusal());
    const signInByLink = (): void => {
      const link = takeLink();
      if (link) void send({ link });
    };
    signInByLink();
    // The link may be pasted into a tab that is open here.
    addEventListener("hashchange", signInByLink);
    return () => removeEventListener("hashchange", signInByLink);
  }, []);

  return (
    <form
      class="card sign-in"
      onSubmit={(event) => {
        event.preventDefault();
        void send({ key: field.current?.value.trim() ?? "" });
      }}
    >
      <h1>{words.signIn.title}</h1>
      {ended && !wrong && <p role="status">{words.signIn.ended}</p>}
      {provider && (
        <>
          <a class="button main" href={address("/v1/session/oidc", { next: place() })}>{words.signIn.withProvider(provider)}</a>
          <p class="soft or">{words.signIn.or}</p>
        </>
      )}
      <label for="key">{words.signIn.key}</label>
      <input id="key" ref={field} type="password" autocomplete="current-password" spellcheck={false} required aria-describedby="key-hint" aria-invalid={wrong ? "true" : undefined} />
      <p id="key-hint" class="soft">{words.signIn.hint}</p>
      <p role="alert" class="bad">{wrong}</p>
      <button type="submit" class={provider ? undefined : "main"} disabled={busy}>{words.signIn.go}</button>
    </form>
  );
}
