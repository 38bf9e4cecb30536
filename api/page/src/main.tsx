// The shell: who is signed in, whether the service answers, and which part is shown.
import "../../../nightshift/report_page/assets/photos.css";
import "../../../nightshift/report_page/assets/viewer.css";
import "./page.css";
import { render } from "preact";
import { useEffect, useRef, useState } from "preact/hooks";
import { Away, ask, get, listen, tell, type SignIn } from "./api";
import { Faces } from "./faces";
import { JobView } from "./job";
import { NewJob } from "./new_job";
import { useRoute, type Route } from "./route";
import { Service } from "./service";
import { SignInForm } from "./sign_in";
import { Tonight } from "./tonight";
import { clear, stop, useUnderWay } from "./under_way";
import { language, share, speakTheOther, words } from "./words";

/** What the key is good for, with jobs of its owner. */
export interface Rights {
  owner: string;
  steers: boolean;
  looks: boolean;
  /** Sees workers and keys, and whatever was done. */
  runs: boolean;
}

const rightsOf = ({ owner, scopes }: SignIn): Rights => {
  const has = (scope: string): boolean => scopes.some((one) => one === scope || one === "admin");
  return { owner, steers: has("submit"), looks: has("read") || has("submit"), runs: has("admin") };
};

function Part({ route, rights }: { route: Route; rights: Rights }) {
  if (route.at === "new") return <NewJob rights={rights} />;
  if (route.at === "service" && rights.runs) return <Service rights={rights} />;
  if (route.at === "job" && route.part === "faces") return <Faces jobId={route.id} key={route.id} />;
  if (route.at === "job") return <JobView jobId={route.id} rights={rights} key={route.id} />;
  return <Tonight rights={rights} />;
}

function Connection() {
  const [heard, setHeard] = useState<"here" | "away" | "back">("here");
  useEffect(
    () =>
      listen((what) => {
        if (what === "away") setHeard("away");
        else setHeard((before) => (before === "away" ? "back" : before));
      }),
    [],
  );
  useEffect(() => {
    if (heard !== "back") return;
    const timer = setTimeout(() => setHeard("here"), 4000);
    return () => clearTimeout(timer);
  }, [heard]);
  // Always there, so that screen readers say what comes into it.
  return (
    <div role="status" class={`connection ${heard}`}>
      {heard === "away" ? words.away : heard === "back" ? words.back : ""}
    </div>
  );
}

/** What is being sent goes on beside whatever is looked at: the way back to it says how far it is. */
function NewJobLink({ isHere }: { isHere: boolean }) {
  const { now, ended } = useUnderWay();
  const isOver = ended !== undefined && "job" in ended && !ended.refused.length;
  useEffect(() => void (isOver && !isHere && clear()), [isOver]);
  const part = now && (now.step === "hashing" ? now.hashed / (now.total || 1) : now.sent / (now.toSend || 1));
  const said = isHere ? "" : part !== undefined ? share(part) : ended && !isOver ? words.fresh.stuck : "";
  return <a href="#/new" aria-current={isHere ? "page" : undefined}>{words.nav.fresh}{said && ` · ${said}`}</a>;
}

function Page() {
  const [signIn, setSignIn] = useState<SignIn>();
  const [ended, setEnded] = useState(false);
  const route = useRoute();
  const main = useRef<HTMLElement>(null);
  const place = location.hash;
  const shownBefore = useRef(place);
  const owner = useRef("");

  const become = (found: SignIn): void => {
    if (found.signed_in) {
      // What somebody sends is not sent on in another's name.
      if (owner.current && owner.current !== found.owner) stop();
      owner.current = found.owner;
      setEnded(false);
      tell("signed_in");
    } else if (owner.current) setEnded(true);
    setSignIn(found);
  };

  useEffect(() => {
    let over = false;
    const look = async (pause = 1000): Promise<void> => {
      try {
        const found: SignIn = await get("/v1/session");
        if (over) return;
        // Whoever is signed in does not need the link that they came by; it is nothing to leave in the history.
        if (found.signed_in && location.hash.startsWith("#link=")) location.replace("#/");
        become(found);
      } catch (error) {
        if (!over) setTimeout(() => void look(Math.min(2 * pause, 8000)), error instanceof Away ? pause : 5000);
      }
    };
    void look();
    // Another tab may have signed out, or in as somebody else.
    const shown = (): void => void (document.hidden || look());
    document.addEventListener("visibilitychange", shown);
    const stopListening = listen((heard) => {
      if (heard !== "signed_out") return;
      setEnded(true);
      setSignIn((before) => before && { ...before, signed_in: false });
    });
    return () => {
      over = true;
      document.removeEventListener("visibilitychange", shown);
      stopListening();
    };
  }, []);

  // Whoever hears the page, or goes by keyboard, is taken to what has come.
  useEffect(() => {
    if (shownBefore.current === place) return;
    shownBefore.current = place;
    main.current?.focus({ preventScroll: true });
  }, [place]);

  const signOut = async (): Promise<void> => {
    try {
      await ask("DELETE", "/v1/session");
    } catch (error) {
      if (!(error instanceof Away)) throw error;
      return;
    }
    stop();
    owner.current = "";
    setEnded(false);
    setSignIn((before) => before && { ...before, signed_in: false });
    location.hash = "";
  };

  const rights = signIn?.signed_in ? rightsOf(signIn) : undefined;
  const here = (at: Route["at"]): "page" | undefined => (route.at === at ? "page" : undefined);
  return (
    <>
      <a class="skip" href="#main" onClick={(event) => (event.preventDefault(), main.current?.focus())}>{words.skip}</a>
      <header class="masthead">
        <a class="brand" href="#/">
          <svg class="moon" viewBox="0 0 24 24" aria-hidden="true"><path d="M20.5 14.2A8.6 8.6 0 0 1 9.8 3.5a.6.6 0 0 0-.8-.7 9.8 9.8 0 1 0 12.2 12.2.6.6 0 0 0-.7-.8Z" /></svg>
          Nightshift
        </a>
        {rights && (
          <nav aria-label={words.nav.label}>
            <a href="#/" aria-current={here("tonight")}>{words.nav.tonight}</a>
            {rights.steers && <NewJobLink isHere={route.at === "new"} />}
            {rights.runs && <a href="#/service" aria-current={here("service")}>{words.nav.service}</a>}
          </nav>
        )}
        <div class="who">
          {rights && <span class="owner">{signIn?.owner}</span>}
          <button type="button" class="quiet" lang={language === "de" ? "en" : "de"} onClick={speakTheOther}>{words.language}</button>
          {rights && <button type="button" class="quiet" onClick={() => void signOut()}>{words.signOut}</button>}
        </div>
      </header>
      <Connection />
      <main id="main" ref={main} tabIndex={-1}>
        {signIn === undefined ? (
          <p class="soft">{words.loading}</p>
        ) : rights ? (
          <Part route={route} rights={rights} key={rights.owner} />
        ) : (
          <SignInForm ended={ended} provider={signIn.provider} done={become} />
        )}
      </main>
      <footer class="soft">{words.notice}</footer>
    </>
  );
}

document.documentElement.lang = language;
render(<Page />, document.getElementById("page")!);
