// Going back, as a phone's own button does, closes what lies over the page before it leaves the page.
import { useEffect, useRef } from "preact/hooks";

const isOver = (): boolean => Boolean((history.state as { isOver?: boolean } | null)?.isOver);

/** `over` is the address while it is open, `under` without it. */
export function useBack(isOpen: boolean, close: () => void, over: string, under: string): void {
  const closing = useRef(close);
  closing.current = close;
  useEffect(() => {
    if (!isOpen) return;
    // Where the page stands then is for whoever closes to say, not for the browser.
    history.scrollRestoration = "manual";
    // After a reload the step is there; whoever came by a link has the page itself to go back to.
    if (!isOver()) {
      history.replaceState(history.state, "", under);
      history.pushState({ isOver: true }, "", over);
    }
    const back = (): void => closing.current();
    addEventListener("popstate", back);
    return () => {
      removeEventListener("popstate", back);
      // Closed otherwise, or left by a link: only a step of our own is taken back.
      if (isOver()) history.back();
    };
  }, [isOpen]);
}
