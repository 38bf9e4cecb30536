// Going back, as a phone's own button does, closes what lies over the page before it leaves the page.
import { useEffect, useRef } from "preact/hooks";

export function useBack(isOpen: boolean, close: () => void): void {
  const closing = useRef(close);
  closing.current = close;
  useEffect(() => {
    if (!isOpen) return;
    // Where the page stands then is for whoever closes to say, not for the browser.
    history.scrollRestoration = "manual";
    history.pushState({ isOver: true }, "");
    const back = (): void => closing.current();
    addEventListener("popstate", back);
    return () => {
      removeEventListener("popstate", back);
      // Closed otherwise, or left by a link: only a step of our own is taken back.
      if ((history.state as { isOver?: boolean } | null)?.isOver) history.back();
    };
  }, [isOpen]);
}
