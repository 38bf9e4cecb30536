"use strict";
/* Making elements. Text only ever becomes text: nothing in this page is made from markup in data. */

{
  const SVG = "http://www.w3.org/2000/svg";
  const numbers = new Intl.NumberFormat("en");
  const shares = new Intl.NumberFormat("en", { style: "percent", maximumFractionDigits: 0 });

  /** An HTML element: attributes, then children (elements or text; null is left out). */
  nightshift.element = (tag, attributes = {}, ...children) =>
    filled(document.createElement(tag), attributes, children);

  /** The same in SVG. */
  nightshift.drawing = (tag, attributes = {}, ...children) =>
    filled(document.createElementNS(SVG, tag), attributes, children);

  function filled(element, attributes, children) {
    for (const [name, value] of Object.entries(attributes)) {
      if (value === true) element.setAttribute(name, "");
      else if (value !== false && value !== null && value !== undefined) element.setAttribute(name, value);
    }
    element.append(...children.flat().filter((child) => child !== null && child !== undefined));
    return element;
  }

  nightshift.byId = (id) => document.getElementById(id);
  nightshift.number = (value) => numbers.format(value);
  nightshift.percent = (value) => shares.format(value);

  /** `1 face`, `1,200 faces`. */
  nightshift.count = (value, one, many = `${one}s`) => `${numbers.format(value)} ${value === 1 ? one : many}`;

  /** An age group as it is printed, with an en dash. */
  nightshift.ageLabel = (age) => nightshift.data.labels[age].replace("-", "–");

  nightshift.genderLabel = (gender) => (gender ? "Male" : "Female");

  /** The age group of a face, or the range of several where one is uncertain. */
  nightshift.agesOf = (face) => (face.ageUncertain ? face.range : nightshift.ageLabel(face.age));

  /** Such as `uncertain: close call`. */
  nightshift.doubtText = (doubts) => ["uncertain", doubts.join(", ")].filter(Boolean).join(": ");

  /** Such as `female 20–39 (uncertain: close call)`. */
  nightshift.faceText = (face) => {
    const doubt = (is, doubts) => (is ? ` (${nightshift.doubtText(doubts)})` : "");
    const gender = `${nightshift.GENDERS[face.gender]}${doubt(face.genderUncertain, face.genderDoubts)}`;
    return `${gender} ${nightshift.agesOf(face)}${doubt(face.ageUncertain, face.ageDoubts)}`;
  };

  /** An error's or an outcome's name in words: `corrupt_image` is `corrupt image`. */
  nightshift.words = (code) => code.replaceAll("_", " ");
}
