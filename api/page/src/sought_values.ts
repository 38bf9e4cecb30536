// Which values of a filter can be meant: an address may come from anywhere, and be half copied.

const PART = /^(0|1|0?\.\d{1,6}|1\.0{1,6})$/;
const VALUES: Record<string, RegExp> = {
  status: /^(failed|succeeded|queued|running|cancelled)$/,
  search: /^[^]{1,200}$/,
  gender: /^(female|male)$/,
  age_group: /^(0-4|5-9|10-19|20-29|30-39|40-49|50-64|65\+)$/,
  uncertain: /^(gender|age_group|any)$/,
  faces: /^\d{1,4}-?$/,
  folder: /^[^]{1,1024}$/,
  min_quality: /^\d{1,4}(\.\d{1,6})?$/,
  sort: /^-?(name|time|faces|least_sure)$/,
};

/** Whether the service would take it; of what is not listed, it is a part of a whole. */
export const isMeant = (name: string, value: string): boolean => (VALUES[name] ?? PART).test(value);
