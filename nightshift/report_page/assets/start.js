"use strict";
/* Called when the index has been read. */

nightshift.start = () => {
  nightshift.tally = nightshift.tallyUp();
  nightshift.startViewer();
  nightshift.showOverview(nightshift.tally);
  nightshift.showCharts(nightshift.tally);
  nightshift.startGrid();
  nightshift.startLists();
  nightshift.startPrint();
  nightshift.showFilters(nightshift.tally, nightshift.showPhotos);
  nightshift.onKnown(nightshift.showBreakdown);
  // Not before the first photos are on the screen.
  const later = window.requestIdleCallback ?? ((task) => setTimeout(task));
  addEventListener("load", () => later(nightshift.askForIndex, { timeout: 2000 }));
};
