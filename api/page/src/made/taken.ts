// Made by docs/page_built.py from nightshift/words/what_is_taken.py, pairs.py and signatures.py.
export const rule = {
  extensions: [".3fr", ".arw", ".avif", ".bmp", ".cr2", ".cr3", ".crw", ".dib", ".dng", ".gif", ".heic", ".heif", ".hif", ".iiq", ".jfif", ".jpe", ".jpeg", ".jpg", ".jxl", ".mpo", ".nef", ".nrw", ".orf", ".ori", ".pef", ".png", ".raf", ".rw2", ".rwl", ".sr2", ".srf", ".srw", ".tif", ".tiff", ".webp", ".x3f"],
  raw: [".3fr", ".arw", ".cr2", ".cr3", ".crw", ".dng", ".iiq", ".nef", ".nrw", ".orf", ".ori", ".pef", ".raf", ".rw2", ".rwl", ".sr2", ".srf", ".srw", ".x3f"],
  shown: [".heic", ".heif", ".hif", ".jpe", ".jpeg", ".jpg"],
  traces: ["__macosx", "desktop.ini", "thumbs.db"],
  system: ["#recycle", "#snapshot", "$recycle.bin", "@eadir", "@recently-snapshot", "@recycle", "@tmp", "ehthumbs.db", "ehthumbs_vista.db", "found.000", "icon\r", "lost+found", "lost.dir", "network trash folder", "recycler", "resource.frk", "system volume information", "temporary items", "trashbox"],
  libraries: [".photoslibrary", ".photolibrary", ".aplibrary", ".migratedphotolibrary", ".migratedaplibrary"],
  originals: ["masters", "modified", "originals"],
  previewFolders: [".lrdata", ".lrcat-data", ".cocatalogdb"],
  previewPairs: ["captureone/cache", "captureone/thumbnails", "resources/derivatives", "resources/proxies", "resources/renders"],
  cameraPreviews: [".ithmb", ".lrprev", ".thm"],
  starts: ["\u00ff\u00d8\u00ff", "\u0089PNG\r\n\u001a\n", "GIF87a", "GIF89a", "\u00ff\n", "\u0000\u0000\u0000\fJXL \r\n\u0087\n", "FUJIFILMCCD-RAW", "IIRO", "IIRS", "MMOR", "IIU\u0000", "FOVb", "\u0000MRM", "II\u001a\u0000\u0000\u0000HEAPCCDR", "II*\u0000", "MM\u0000*", "II+\u0000", "MM\u0000+"],
  brands: ["avif", "avis", "crx ", "heic", "heim", "heis", "heix", "hevc", "hevm", "hevs", "hevx", "mif1", "msf1"],
  bitmapHeaders: [12, 16, 40, 52, 56, 64, 108, 124],
} as const;
