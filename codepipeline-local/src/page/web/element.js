// Describes elements, and changes the document to match a description. Elements that stay keep focus, scroll position and selection.
//
// Text becomes a text node and a property becomes an attribute, so no value is ever read as HTML. Hidden characters of a text become
// visible.

import { visible } from "./text.js";

const SVG = "http://www.w3.org/2000/svg";
// The property with an element's present children: descriptions and nodes.
const SHOWN = Symbol("shown");

/**
 * Describes an element. `props` are attributes, with these exceptions: `key` identifies it among its siblings, `on…` is an event handler,
 * `once(element)` runs after it is created, and `checked` and `open` only apply then. An element with `own` builds its children
 * itself.
 */
export function h(tag, props, ...children) {
    return { tag, props: props ?? {}, key: props?.key, children: flatten(children) };
}

/** Describes what `render()` returns, and calls it again only if one of `inputs` is another value than before. */
export function cached(key, inputs, render) {
    return { key, inputs, render };
}

/** Makes the children of `parent` match the descriptions. */
export function show(parent, ...descriptions) {
    const wanted = flatten(descriptions);
    const old = parent[SHOWN];
    parent[SHOWN] = old ? match(parent, old, wanted) : fill(parent, wanted);
}

function fill(parent, wanted) {
    const entries = wanted.map((description) => create(description, parent));
    parent.replaceChildren(...entries.map(({ node }) => node));
    return entries;
}

function match(parent, old, wanted) {
    const reusable = new Map();
    const unkeyed = new Map();
    for (const entry of old) {
        const group = entry.key === undefined ? unkeyed : reusable;
        const name = entry.key ?? entry.tag;
        if (group.has(name)) group.get(name).push(entry);
        else group.set(name, [entry]);
    }
    const entries = wanted.map((description) => {
        const candidates = description.key === undefined ? unkeyed.get(description.tag) : reusable.get(description.key);
        const entry = candidates?.shift();
        return entry ? update(entry, description, parent) : create(description, parent);
    });
    const kept = new Set(entries.map((entry) => entry.node));
    for (const entry of old) if (!kept.has(entry.node)) entry.node.remove();
    place(parent, entries);
    return entries;
}

// Moves only nodes that are out of place, because a moved node loses its focus.
function place(parent, entries) {
    let next = parent.firstChild;
    let fresh = null;
    for (const { node } of entries) {
        if (node === next) {
            if (fresh) parent.insertBefore(fresh, node);
            fresh = null;
            next = node.nextSibling;
        } else {
            fresh ??= document.createDocumentFragment();
            fresh.append(node);
        }
    }
    if (fresh) parent.insertBefore(fresh, next);
}

function flatten(children) {
    return children.flat(Infinity).filter((child) => child !== null && child !== undefined && child !== false).map((child) =>
        typeof child === "object" ? child : { tag: "#text", text: visible(String(child)) });
}

function create(description, parent) {
    if (description.render) {
        const entry = create(description.render(), parent);
        return { ...entry, key: description.key, inputs: description.inputs };
    }
    const { tag, key, props, children } = description;
    if (tag === "#text") return { tag, text: description.text, node: document.createTextNode(description.text) };
    const namespace = tag === "svg" || parent.namespaceURI === SVG ? SVG : undefined;
    const node = namespace ? document.createElementNS(namespace, tag) : document.createElement(tag);
    for (const name in props) set(node, name, props[name]);
    if (!props.own) show(node, children);
    props.once?.(node);
    return { tag, key, props, node };
}

function update(entry, description, parent) {
    if (description.render) {
        if (entry.inputs?.every((input, index) => input === description.inputs[index])) return entry;
        const rendered = description.render();
        const changed = entry.tag === rendered.tag ? update({ ...entry, inputs: undefined }, rendered, parent) : create(rendered, parent);
        return { ...changed, key: description.key, inputs: description.inputs };
    }
    const { tag, key, props, children } = description;
    if (entry.tag !== tag) return create(description, parent);
    if (tag === "#text") {
        if (entry.text !== description.text) entry.node.data = description.text;
        return { tag, text: description.text, node: entry.node };
    }
    for (const name in entry.props) if (!(name in props)) set(entry.node, name, undefined);
    for (const name in props) {
        if (props[name] !== entry.props[name] && !INITIAL.has(name)) set(entry.node, name, props[name]);
    }
    if (!props.own) show(entry.node, children);
    return { tag, key, props, node: entry.node };
}

// Properties that only apply to a new element, because the user changes them afterwards.
const INITIAL = new Set(["checked", "open", "once", "own", "key"]);

function set(node, name, value) {
    if (name === "key" || name === "once" || name === "own") return;
    if (name.startsWith("on")) node[name] = value ?? null;
    else if (value === undefined || value === null || value === false) node.removeAttribute(name);
    else node.setAttribute(name, value === true ? "" : value);
}
