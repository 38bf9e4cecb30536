// Signing in: by key, or by the link that `nightshift serve` printed, whose secret is behind the `#`.
import { useEffect, useRef, useState } from "preact/hooks";
import { Away, post, Problem, type SignIn } from "./api";
import { words } from "./words";

/** The link's secret, taken out of the address and the history, where it must not stay. */
function takeLink(): string | undefined {
  const found = /^#link=(.+)$/.exec(location.hash);
  if (found) history.replaceState(null, "", location.pathname);
  return found?.[1];
}

export function SignInForm({ ended, done }: { ended: boolean; done: (signIn: SignIn) => void }) {
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
      <label for="key">{words.signIn.key}</label>
      <input id="key" ref={field} type="password" autocomplete="current-password" spellcheck={false} required aria-describedby="key-hint" aria-invalid={wrong ? "true" : undefined} />
      <p id="key-hint" class="soft">{words.signIn.hint}</p>
      <p role="alert" class="bad">{wrong}</p>
      <button type="submit" class="main" disabled={busy}>{words.signIn.go}</button>
    </form>
  );
}
