// Going back, as a phone's own button does, closes what lies over the page before it leaves the page.
import { useLayoutEffect, useRef } from "preact/hooks";

/** What a step of the history is: the page below, what lies over it, or what did until it was closed. */
type Step = "under" | "over" | "spent";

const stepNow = (): Step | undefined => (history.state as { step?: Step } | null)?.step;

let last = stepNow();

const rename = (step: Step, address: string): void => {
  history.replaceState({ step }, "", address);
  last = step;
};

addEventListener("popstate", () => {
  const [from, to] = [last, stepNow()];
  last = to;
  // Both show the same, so that going back from there would seem to do nothing.
  if (from === "spent" && to === "under") history.back();
});

/** `over` is the address while it is open, `under` without it. */
export function useBack(isOpen: boolean, close: () => void, over: string, under: string): void {
  const closing = useRef({ close, under });
  closing.current = { close, under };
  useLayoutEffect(() => {
    if (!isOpen) return;
    // Where the page stands then is for whoever closes to say, not for the browser.
    history.scrollRestoration = "manual";
    const step = stepNow();
    if (step === "spent") rename("over", over);
    // After a reload the step is there; whoever came by a link has the page itself to go back to.
    else if (step !== "over") {
      rename("under", under);
      history.pushState({ step: "over" }, "", over);
      last = "over";
    }
    const back = (): void => closing.current.close();
    addEventListener("popstate", back);
    return () => {
      removeEventListener("popstate", back);
      // Closed otherwise than by going back. The step is kept for the next time: the browser takes one back only later,
      // and would take whoever has followed a link by then back from there.
      if (stepNow() === "over") rename("spent", closing.current.under);
    };
  }, [isOpen]);
}
