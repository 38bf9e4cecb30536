// Where the page is: behind the `#`, so that the service needs one address, and it is in no log.
import { useEffect, useState } from "preact/hooks";
import { hashWith } from "./viewed";

export type Route =
  | { at: "tonight" }
  | { at: "new" }
  | { at: "service" }
  | { at: "job"; id: string; part: "overview" | "faces" };

export function routeOf(hash: string): Route {
  const [first, id, part] = hash.replace(/^#\/?/, "").split("?")[0]!.split("/");
  if (first === "new" || first === "service") return { at: first };
  if (first === "jobs" && id && /^job_\w+$/.test(id)) return { at: "job", id, part: part === "faces" ? "faces" : "overview" };
  return { at: "tonight" };
}

export function useRoute(): Route {
  const [route, setRoute] = useState(() => routeOf(location.hash));
  useEffect(() => {
    const moved = ({ oldURL, newURL }: HashChangeEvent): void => {
      // A photo that opens or closes lies over the same place.
      if (hashWith(new URL(oldURL).hash) === hashWith(new URL(newURL).hash)) return;
      setRoute(routeOf(location.hash));
      scrollTo(0, 0);
    };
    addEventListener("hashchange", moved);
    return () => removeEventListener("hashchange", moved);
  }, []);
  return route;
}
