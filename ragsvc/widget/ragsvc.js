/*! ragsvc widget, Apache-2.0; with Lit, BSD-3-Clause. Sources: be37d5526801fd2401f4d7df3bd911a7735eed22325d3d3e079120b8695cba3d */
// \0rolldown/runtime.js
var e = Object.defineProperty, t = (t, n) => {
	let r = {};
	for (var i in t) e(r, i, {
		get: t[i],
		enumerable: !0
	});
	return n || e(r, Symbol.toStringTag, { value: "Module" }), r;
}, n = globalThis, r = n.ShadowRoot && (n.ShadyCSS === void 0 || n.ShadyCSS.nativeShadow) && "adoptedStyleSheets" in Document.prototype && "replace" in CSSStyleSheet.prototype, i = Symbol(), a = /* @__PURE__ */ new WeakMap(), o = class {
	constructor(e, t, n) {
		if (this._$cssResult$ = !0, n !== i) throw Error("CSSResult is not constructable. Use `unsafeCSS` or `css` instead.");
		this.cssText = e, this.t = t;
	}
	get styleSheet() {
		let e = this.o, t = this.t;
		if (r && e === void 0) {
			let n = t !== void 0 && t.length === 1;
			n && (e = a.get(t)), e === void 0 && ((this.o = e = new CSSStyleSheet()).replaceSync(this.cssText), n && a.set(t, e));
		}
		return e;
	}
	toString() {
		return this.cssText;
	}
}, s = (e) => new o(typeof e == "string" ? e : e + "", void 0, i), c = (e, ...t) => new o(e.length === 1 ? e[0] : t.reduce((t, n, r) => t + ((e) => {
	if (!0 === e._$cssResult$) return e.cssText;
	if (typeof e == "number") return e;
	throw Error("Value passed to 'css' function must be a 'css' function result: " + e + ". Use 'unsafeCSS' to pass non-literal values, but take care to ensure page security.");
})(n) + e[r + 1], e[0]), e, i), l = (e, t) => {
	if (r) e.adoptedStyleSheets = t.map((e) => e instanceof CSSStyleSheet ? e : e.styleSheet);
	else for (let r of t) {
		let t = document.createElement("style"), i = n.litNonce;
		i !== void 0 && t.setAttribute("nonce", i), t.textContent = r.cssText, e.appendChild(t);
	}
}, u = r ? (e) => e : (e) => e instanceof CSSStyleSheet ? ((e) => {
	let t = "";
	for (let n of e.cssRules) t += n.cssText;
	return s(t);
})(e) : e, { is: d, defineProperty: ee, getOwnPropertyDescriptor: te, getOwnPropertyNames: ne, getOwnPropertySymbols: re, getPrototypeOf: ie } = Object, f = globalThis, p = f.trustedTypes, ae = p ? p.emptyScript : "", oe = f.reactiveElementPolyfillSupport, m = (e, t) => e, h = {
	toAttribute(e, t) {
		switch (t) {
			case Boolean:
				e = e ? ae : null;
				break;
			case Object:
			case Array: e = e == null ? e : JSON.stringify(e);
		}
		return e;
	},
	fromAttribute(e, t) {
		let n = e;
		switch (t) {
			case Boolean:
				n = e !== null;
				break;
			case Number:
				n = e === null ? null : Number(e);
				break;
			case Object:
			case Array: try {
				n = JSON.parse(e);
			} catch {
				n = null;
			}
		}
		return n;
	}
}, se = (e, t) => !d(e, t), ce = {
	attribute: !0,
	type: String,
	converter: h,
	reflect: !1,
	useDefault: !1,
	hasChanged: se
};
Symbol.metadata ??= Symbol("metadata"), f.litPropertyMetadata ??= /* @__PURE__ */ new WeakMap();
var g = class extends HTMLElement {
	static addInitializer(e) {
		this._$Ei(), (this.l ??= []).push(e);
	}
	static get observedAttributes() {
		return this.finalize(), this._$Eh && [...this._$Eh.keys()];
	}
	static createProperty(e, t = ce) {
		if (t.state && (t.attribute = !1), this._$Ei(), this.prototype.hasOwnProperty(e) && ((t = Object.create(t)).wrapped = !0), this.elementProperties.set(e, t), !t.noAccessor) {
			let n = Symbol(), r = this.getPropertyDescriptor(e, n, t);
			r !== void 0 && ee(this.prototype, e, r);
		}
	}
	static getPropertyDescriptor(e, t, n) {
		let { get: r, set: i } = te(this.prototype, e) ?? {
			get() {
				return this[t];
			},
			set(e) {
				this[t] = e;
			}
		};
		return {
			get: r,
			set(t) {
				let a = r?.call(this);
				i?.call(this, t), this.requestUpdate(e, a, n);
			},
			configurable: !0,
			enumerable: !0
		};
	}
	static getPropertyOptions(e) {
		return this.elementProperties.get(e) ?? ce;
	}
	static _$Ei() {
		if (this.hasOwnProperty(m("elementProperties"))) return;
		let e = ie(this);
		e.finalize(), e.l !== void 0 && (this.l = [...e.l]), this.elementProperties = new Map(e.elementProperties);
	}
	static finalize() {
		if (this.hasOwnProperty(m("finalized"))) return;
		if (this.finalized = !0, this._$Ei(), this.hasOwnProperty(m("properties"))) {
			let e = this.properties, t = [...ne(e), ...re(e)];
			for (let n of t) this.createProperty(n, e[n]);
		}
		let e = this[Symbol.metadata];
		if (e !== null) {
			let t = litPropertyMetadata.get(e);
			if (t !== void 0) for (let [e, n] of t) this.elementProperties.set(e, n);
		}
		this._$Eh = /* @__PURE__ */ new Map();
		for (let [e, t] of this.elementProperties) {
			let n = this._$Eu(e, t);
			n !== void 0 && this._$Eh.set(n, e);
		}
		this.elementStyles = this.finalizeStyles(this.styles);
	}
	static finalizeStyles(e) {
		let t = [];
		if (Array.isArray(e)) {
			let n = new Set(e.flat(1 / 0).reverse());
			for (let e of n) t.unshift(u(e));
		} else e !== void 0 && t.push(u(e));
		return t;
	}
	static _$Eu(e, t) {
		let n = t.attribute;
		return !1 === n ? void 0 : typeof n == "string" ? n : typeof e == "string" ? e.toLowerCase() : void 0;
	}
	constructor() {
		super(), this._$Ep = void 0, this.isUpdatePending = !1, this.hasUpdated = !1, this._$Em = null, this._$Ev();
	}
	_$Ev() {
		this._$ES = new Promise((e) => this.enableUpdating = e), this._$AL = /* @__PURE__ */ new Map(), this._$E_(), this.requestUpdate(), this.constructor.l?.forEach((e) => e(this));
	}
	addController(e) {
		(this._$EO ??= /* @__PURE__ */ new Set()).add(e), this.renderRoot !== void 0 && this.isConnected && e.hostConnected?.();
	}
	removeController(e) {
		this._$EO?.delete(e);
	}
	_$E_() {
		let e = /* @__PURE__ */ new Map(), t = this.constructor.elementProperties;
		for (let n of t.keys()) this.hasOwnProperty(n) && (e.set(n, this[n]), delete this[n]);
		e.size > 0 && (this._$Ep = e);
	}
	createRenderRoot() {
		let e = this.shadowRoot ?? this.attachShadow(this.constructor.shadowRootOptions);
		return l(e, this.constructor.elementStyles), e;
	}
	connectedCallback() {
		this.renderRoot ??= this.createRenderRoot(), this.enableUpdating(!0), this._$EO?.forEach((e) => e.hostConnected?.());
	}
	enableUpdating(e) {}
	disconnectedCallback() {
		this._$EO?.forEach((e) => e.hostDisconnected?.());
	}
	attributeChangedCallback(e, t, n) {
		this._$AK(e, n);
	}
	_$ET(e, t) {
		let n = this.constructor.elementProperties.get(e), r = this.constructor._$Eu(e, n);
		if (r !== void 0 && !0 === n.reflect) {
			let i = (n.converter?.toAttribute === void 0 ? h : n.converter).toAttribute(t, n.type);
			this._$Em = e, i == null ? this.removeAttribute(r) : this.setAttribute(r, i), this._$Em = null;
		}
	}
	_$AK(e, t) {
		let n = this.constructor, r = n._$Eh.get(e);
		if (r !== void 0 && this._$Em !== r) {
			let e = n.getPropertyOptions(r), i = typeof e.converter == "function" ? { fromAttribute: e.converter } : e.converter?.fromAttribute === void 0 ? h : e.converter;
			this._$Em = r;
			let a = i.fromAttribute(t, e.type);
			this[r] = a ?? this._$Ej?.get(r) ?? a, this._$Em = null;
		}
	}
	requestUpdate(e, t, n, r = !1, i) {
		if (e !== void 0) {
			let a = this.constructor;
			if (!1 === r && (i = this[e]), n ??= a.getPropertyOptions(e), !((n.hasChanged ?? se)(i, t) || n.useDefault && n.reflect && i === this._$Ej?.get(e) && !this.hasAttribute(a._$Eu(e, n)))) return;
			this.C(e, t, n);
		}
		!1 === this.isUpdatePending && (this._$ES = this._$EP());
	}
	C(e, t, { useDefault: n, reflect: r, wrapped: i }, a) {
		n && !(this._$Ej ??= /* @__PURE__ */ new Map()).has(e) && (this._$Ej.set(e, a ?? t ?? this[e]), !0 !== i || a !== void 0) || (this._$AL.has(e) || (this.hasUpdated || n || (t = void 0), this._$AL.set(e, t)), !0 === r && this._$Em !== e && (this._$Eq ??= /* @__PURE__ */ new Set()).add(e));
	}
	async _$EP() {
		this.isUpdatePending = !0;
		try {
			await this._$ES;
		} catch (e) {
			Promise.reject(e);
		}
		let e = this.scheduleUpdate();
		return e != null && await e, !this.isUpdatePending;
	}
	scheduleUpdate() {
		return this.performUpdate();
	}
	performUpdate() {
		if (!this.isUpdatePending) return;
		if (!this.hasUpdated) {
			if (this.renderRoot ??= this.createRenderRoot(), this._$Ep) {
				for (let [e, t] of this._$Ep) this[e] = t;
				this._$Ep = void 0;
			}
			let e = this.constructor.elementProperties;
			if (e.size > 0) for (let [t, n] of e) {
				let { wrapped: e } = n, r = this[t];
				!0 !== e || this._$AL.has(t) || r === void 0 || this.C(t, void 0, n, r);
			}
		}
		let e = !1, t = this._$AL;
		try {
			e = this.shouldUpdate(t), e ? (this.willUpdate(t), this._$EO?.forEach((e) => e.hostUpdate?.()), this.update(t)) : this._$EM();
		} catch (t) {
			throw e = !1, this._$EM(), t;
		}
		e && this._$AE(t);
	}
	willUpdate(e) {}
	_$AE(e) {
		this._$EO?.forEach((e) => e.hostUpdated?.()), this.hasUpdated || (this.hasUpdated = !0, this.firstUpdated(e)), this.updated(e);
	}
	_$EM() {
		this._$AL = /* @__PURE__ */ new Map(), this.isUpdatePending = !1;
	}
	get updateComplete() {
		return this.getUpdateComplete();
	}
	getUpdateComplete() {
		return this._$ES;
	}
	shouldUpdate(e) {
		return !0;
	}
	update(e) {
		this._$Eq &&= this._$Eq.forEach((e) => this._$ET(e, this[e])), this._$EM();
	}
	updated(e) {}
	firstUpdated(e) {}
};
g.elementStyles = [], g.shadowRootOptions = { mode: "open" }, g[m("elementProperties")] = /* @__PURE__ */ new Map(), g[m("finalized")] = /* @__PURE__ */ new Map(), oe?.({ ReactiveElement: g }), (f.reactiveElementVersions ??= []).push("2.1.2");
// node_modules/lit-html/lit-html.js
var _ = globalThis, le = (e) => e, v = _.trustedTypes, ue = v ? v.createPolicy("lit-html", { createHTML: (e) => e }) : void 0, y = "$lit$", b = `lit$${Math.random().toFixed(9).slice(2)}$`, x = "?" + b, de = `<${x}>`, S = document, C = () => S.createComment(""), w = (e) => e === null || typeof e != "object" && typeof e != "function", T = Array.isArray, fe = (e) => T(e) || typeof e?.[Symbol.iterator] == "function", E = "[ 	\n\f\r]", D = /<(?:(!--|\/[^a-zA-Z])|(\/?[a-zA-Z][^>\s]*)|(\/?$))/g, pe = /-->/g, me = />/g, O = RegExp(`>|${E}(?:([^\\s"'>=/]+)(${E}*=${E}*(?:[^ \t\n\f\r"'\`<>=]|("|')|))|$)`, "g"), he = /'/g, ge = /"/g, _e = /^(?:script|style|textarea|title)$/i, k = ((e) => (t, ...n) => ({
	_$litType$: e,
	strings: t,
	values: n
}))(1), A = Symbol.for("lit-noChange"), j = Symbol.for("lit-nothing"), M = /* @__PURE__ */ new WeakMap(), N = S.createTreeWalker(S, 129);
function P(e, t) {
	if (!T(e) || !e.hasOwnProperty("raw")) throw Error("invalid template strings array");
	return ue === void 0 ? t : ue.createHTML(t);
}
var F = (e, t) => {
	let n = e.length - 1, r = [], i, a = t === 2 ? "<svg>" : t === 3 ? "<math>" : "", o = D;
	for (let t = 0; t < n; t++) {
		let n = e[t], s, c, l = -1, u = 0;
		for (; u < n.length && (o.lastIndex = u, c = o.exec(n), c !== null);) u = o.lastIndex, o === D ? c[1] === "!--" ? o = pe : c[1] === void 0 ? c[2] === void 0 ? c[3] !== void 0 && (o = O) : (_e.test(c[2]) && (i = RegExp("</" + c[2], "g")), o = O) : o = me : o === O ? c[0] === ">" ? (o = i ?? D, l = -1) : c[1] === void 0 ? l = -2 : (l = o.lastIndex - c[2].length, s = c[1], o = c[3] === void 0 ? O : c[3] === "\"" ? ge : he) : o === ge || o === he ? o = O : o === pe || o === me ? o = D : (o = O, i = void 0);
		let d = o === O && e[t + 1].startsWith("/>") ? " " : "";
		a += o === D ? n + de : l >= 0 ? (r.push(s), n.slice(0, l) + y + n.slice(l) + b + d) : n + b + (l === -2 ? t : d);
	}
	return [P(e, a + (e[n] || "<?>") + (t === 2 ? "</svg>" : t === 3 ? "</math>" : "")), r];
}, I = class e {
	constructor({ strings: t, _$litType$: n }, r) {
		let i;
		this.parts = [];
		let a = 0, o = 0, s = t.length - 1, c = this.parts, [l, u] = F(t, n);
		if (this.el = e.createElement(l, r), N.currentNode = this.el.content, n === 2 || n === 3) {
			let e = this.el.content.firstChild;
			e.replaceWith(...e.childNodes);
		}
		for (; (i = N.nextNode()) !== null && c.length < s;) {
			if (i.nodeType === 1) {
				if (i.hasAttributes()) for (let e of i.getAttributeNames()) if (e.endsWith(y)) {
					let t = u[o++], n = i.getAttribute(e).split(b), r = /([.?@])?(.*)/.exec(t);
					c.push({
						type: 1,
						index: a,
						name: r[2],
						strings: n,
						ctor: r[1] === "." ? V : r[1] === "?" ? ve : r[1] === "@" ? ye : B
					}), i.removeAttribute(e);
				} else e.startsWith(b) && (c.push({
					type: 6,
					index: a
				}), i.removeAttribute(e));
				if (_e.test(i.tagName)) {
					let e = i.textContent.split(b), t = e.length - 1;
					if (t > 0) {
						i.textContent = v ? v.emptyScript : "";
						for (let n = 0; n < t; n++) i.append(e[n], C()), N.nextNode(), c.push({
							type: 2,
							index: ++a
						});
						i.append(e[t], C());
					}
				}
			} else if (i.nodeType === 8) {
				if (i.data === x) c.push({
					type: 2,
					index: a
				});
				else {
					let e = -1;
					for (; (e = i.data.indexOf(b, e + 1)) !== -1;) c.push({
						type: 7,
						index: a
					}), e += b.length - 1;
				}
			}
			a++;
		}
	}
	static createElement(e, t) {
		let n = S.createElement("template");
		return n.innerHTML = e, n;
	}
};
function L(e, t, n = e, r) {
	if (t === A) return t;
	let i = r === void 0 ? n._$Cl : n._$Co?.[r], a = w(t) ? void 0 : t._$litDirective$;
	return i?.constructor !== a && (i?._$AO?.(!1), a === void 0 ? i = void 0 : (i = new a(e), i._$AT(e, n, r)), r === void 0 ? n._$Cl = i : (n._$Co ??= [])[r] = i), i !== void 0 && (t = L(e, i._$AS(e, t.values), i, r)), t;
}
var R = class {
	constructor(e, t) {
		this._$AV = [], this._$AN = void 0, this._$AD = e, this._$AM = t;
	}
	get parentNode() {
		return this._$AM.parentNode;
	}
	get _$AU() {
		return this._$AM._$AU;
	}
	u(e) {
		let { el: { content: t }, parts: n } = this._$AD, r = (e?.creationScope ?? S).importNode(t, !0);
		N.currentNode = r;
		let i = N.nextNode(), a = 0, o = 0, s = n[0];
		for (; s !== void 0;) {
			if (a === s.index) {
				let t;
				s.type === 2 ? t = new z(i, i.nextSibling, this, e) : s.type === 1 ? t = new s.ctor(i, s.name, s.strings, this, e) : s.type === 6 && (t = new be(i, this, e)), this._$AV.push(t), s = n[++o];
			}
			a !== s?.index && (i = N.nextNode(), a++);
		}
		return N.currentNode = S, r;
	}
	p(e) {
		let t = 0;
		for (let n of this._$AV) n !== void 0 && (n.strings === void 0 ? n._$AI(e[t]) : (n._$AI(e, n, t), t += n.strings.length - 2)), t++;
	}
}, z = class e {
	get _$AU() {
		return this._$AM?._$AU ?? this._$Cv;
	}
	constructor(e, t, n, r) {
		this.type = 2, this._$AH = j, this._$AN = void 0, this._$AA = e, this._$AB = t, this._$AM = n, this.options = r, this._$Cv = r?.isConnected ?? !0;
	}
	get parentNode() {
		let e = this._$AA.parentNode, t = this._$AM;
		return t !== void 0 && e?.nodeType === 11 && (e = t.parentNode), e;
	}
	get startNode() {
		return this._$AA;
	}
	get endNode() {
		return this._$AB;
	}
	_$AI(e, t = this) {
		e = L(this, e, t), w(e) ? e === j || e == null || e === "" ? (this._$AH !== j && this._$AR(), this._$AH = j) : e !== this._$AH && e !== A && this._(e) : e._$litType$ === void 0 ? e.nodeType === void 0 ? fe(e) ? this.k(e) : this._(e) : this.T(e) : this.$(e);
	}
	O(e) {
		return this._$AA.parentNode.insertBefore(e, this._$AB);
	}
	T(e) {
		this._$AH !== e && (this._$AR(), this._$AH = this.O(e));
	}
	_(e) {
		this._$AH !== j && w(this._$AH) ? this._$AA.nextSibling.data = e : this.T(S.createTextNode(e)), this._$AH = e;
	}
	$(e) {
		let { values: t, _$litType$: n } = e, r = typeof n == "number" ? this._$AC(e) : (n.el === void 0 && (n.el = I.createElement(P(n.h, n.h[0]), this.options)), n);
		if (this._$AH?._$AD === r) this._$AH.p(t);
		else {
			let e = new R(r, this), n = e.u(this.options);
			e.p(t), this.T(n), this._$AH = e;
		}
	}
	_$AC(e) {
		let t = M.get(e.strings);
		return t === void 0 && M.set(e.strings, t = new I(e)), t;
	}
	k(t) {
		T(this._$AH) || (this._$AH = [], this._$AR());
		let n = this._$AH, r, i = 0;
		for (let a of t) i === n.length ? n.push(r = new e(this.O(C()), this.O(C()), this, this.options)) : r = n[i], r._$AI(a), i++;
		i < n.length && (this._$AR(r && r._$AB.nextSibling, i), n.length = i);
	}
	_$AR(e = this._$AA.nextSibling, t) {
		for (this._$AP?.(!1, !0, t); e !== this._$AB;) {
			let t = le(e).nextSibling;
			le(e).remove(), e = t;
		}
	}
	setConnected(e) {
		this._$AM === void 0 && (this._$Cv = e, this._$AP?.(e));
	}
}, B = class {
	get tagName() {
		return this.element.tagName;
	}
	get _$AU() {
		return this._$AM._$AU;
	}
	constructor(e, t, n, r, i) {
		this.type = 1, this._$AH = j, this._$AN = void 0, this.element = e, this.name = t, this._$AM = r, this.options = i, n.length > 2 || n[0] !== "" || n[1] !== "" ? (this._$AH = Array(n.length - 1).fill(/* @__PURE__ */ new String()), this.strings = n) : this._$AH = j;
	}
	_$AI(e, t = this, n, r) {
		let i = this.strings, a = !1;
		if (i === void 0) e = L(this, e, t, 0), a = !w(e) || e !== this._$AH && e !== A, a && (this._$AH = e);
		else {
			let r = e, o, s;
			for (e = i[0], o = 0; o < i.length - 1; o++) s = L(this, r[n + o], t, o), s === A && (s = this._$AH[o]), a ||= !w(s) || s !== this._$AH[o], s === j ? e = j : e !== j && (e += (s ?? "") + i[o + 1]), this._$AH[o] = s;
		}
		a && !r && this.j(e);
	}
	j(e) {
		e === j ? this.element.removeAttribute(this.name) : this.element.setAttribute(this.name, e ?? "");
	}
}, V = class extends B {
	constructor() {
		super(...arguments), this.type = 3;
	}
	j(e) {
		this.element[this.name] = e === j ? void 0 : e;
	}
}, ve = class extends B {
	constructor() {
		super(...arguments), this.type = 4;
	}
	j(e) {
		this.element.toggleAttribute(this.name, !!e && e !== j);
	}
}, ye = class extends B {
	constructor(e, t, n, r, i) {
		super(e, t, n, r, i), this.type = 5;
	}
	_$AI(e, t = this) {
		if ((e = L(this, e, t, 0) ?? j) === A) return;
		let n = this._$AH, r = e === j && n !== j || e.capture !== n.capture || e.once !== n.once || e.passive !== n.passive, i = e !== j && (n === j || r);
		r && this.element.removeEventListener(this.name, this, n), i && this.element.addEventListener(this.name, this, e), this._$AH = e;
	}
	handleEvent(e) {
		typeof this._$AH == "function" ? this._$AH.call(this.options?.host ?? this.element, e) : this._$AH.handleEvent(e);
	}
}, be = class {
	constructor(e, t, n) {
		this.element = e, this.type = 6, this._$AN = void 0, this._$AM = t, this.options = n;
	}
	get _$AU() {
		return this._$AM._$AU;
	}
	_$AI(e) {
		L(this, e);
	}
}, xe = {
	M: y,
	P: b,
	A: x,
	C: 1,
	L: F,
	R,
	D: fe,
	V: L,
	I: z,
	H: B,
	N: ve,
	U: ye,
	B: V,
	F: be
}, Se = _.litHtmlPolyfillSupport;
Se?.(I, z), (_.litHtmlVersions ??= []).push("3.3.3");
var Ce = (e, t, n) => {
	let r = n?.renderBefore ?? t, i = r._$litPart$;
	if (i === void 0) {
		let e = n?.renderBefore ?? null;
		r._$litPart$ = i = new z(t.insertBefore(C(), e), e, void 0, n ?? {});
	}
	return i._$AI(e), i;
}, H = globalThis, U = class extends g {
	constructor() {
		super(...arguments), this.renderOptions = { host: this }, this._$Do = void 0;
	}
	createRenderRoot() {
		let e = super.createRenderRoot();
		return this.renderOptions.renderBefore ??= e.firstChild, e;
	}
	update(e) {
		let t = this.render();
		this.hasUpdated || (this.renderOptions.isConnected = this.isConnected), super.update(e), this._$Do = Ce(t, this.renderRoot, this.renderOptions);
	}
	connectedCallback() {
		super.connectedCallback(), this._$Do?.setConnected(!0);
	}
	disconnectedCallback() {
		super.disconnectedCallback(), this._$Do?.setConnected(!1);
	}
	render() {
		return A;
	}
};
U._$litElement$ = !0, U.finalized = !0, H.litElementHydrateSupport?.({ LitElement: U });
var we = H.litElementPolyfillSupport;
we?.({ LitElement: U }), (H.litElementVersions ??= []).push("4.2.2");
// node_modules/lit-html/directive.js
var W = {
	ATTRIBUTE: 1,
	CHILD: 2,
	PROPERTY: 3,
	BOOLEAN_ATTRIBUTE: 4,
	EVENT: 5,
	ELEMENT: 6
}, Te = (e) => (...t) => ({
	_$litDirective$: e,
	values: t
}), Ee = class {
	constructor(e) {}
	get _$AU() {
		return this._$AM._$AU;
	}
	_$AT(e, t, n) {
		this._$Ct = e, this._$AM = t, this._$Ci = n;
	}
	_$AS(e, t) {
		return this.update(e, t);
	}
	update(e, t) {
		return this.render(...t);
	}
}, { I: De } = xe, Oe = (e) => e.strings === void 0, ke = {}, Ae = (e, t = ke) => e._$AH = t, je = Te(class extends Ee {
	constructor(e) {
		if (super(e), e.type !== W.PROPERTY && e.type !== W.ATTRIBUTE && e.type !== W.BOOLEAN_ATTRIBUTE) throw Error("The `live` directive is not allowed on child or event bindings");
		if (!Oe(e)) throw Error("`live` bindings can only contain a single expression");
	}
	render(e) {
		return e;
	}
	update(e, [t]) {
		if (t === A || t === j) return t;
		let n = e.element, r = e.name;
		if (e.type === W.PROPERTY) {
			if (t === n[r]) return A;
		} else if (e.type === W.BOOLEAN_ATTRIBUTE) {
			if (!!t === n.hasAttribute(r)) return A;
		} else if (e.type === W.ATTRIBUTE && n.getAttribute(r) === t + "") return A;
		return Ae(e), t;
	}
}), G = c`
  :host {
    --_accent: var(--ragsvc-accent, light-dark(#1d4f91, #a3c0e4));
    --_on-accent: var(--ragsvc-on-accent, light-dark(#ffffff, #10151d));
    --_ink: var(--ragsvc-ink, light-dark(#1b2330, #e6e4dd));
    --_soft: var(--ragsvc-soft, light-dark(#545d6a, #a9b2be));
    --_sheet: var(--ragsvc-sheet, light-dark(#ffffff, #1b212b));
    --_calm: var(--ragsvc-calm, light-dark(#f1f4f8, #232b37));
    --_line: var(--ragsvc-line, light-dark(#cfd5dd, #3a4453));
    --_field: var(--ragsvc-field, light-dark(#767f8b, #7d8797));
    --_mark: var(--ragsvc-mark, light-dark(#fbe9b0, #5c4a17));
    --_warn: var(--ragsvc-warn, light-dark(#8c2f1b, #f0a08d));
    --_font: var(--ragsvc-font, system-ui, -apple-system, "Segoe UI", "PingFang SC", "Microsoft YaHei", "Noto Sans CJK SC", sans-serif);
    --_radius: var(--ragsvc-radius, 8px);
    display: block; container-type: inline-size; font: 1rem/1.65 var(--_font); color: var(--_ink); text-align: start;
  }
  :host([theme="light"]) { color-scheme: light; }
  :host([theme="dark"]) { color-scheme: dark; }
  :host([theme="auto"]) { color-scheme: light dark; }
  :host([hidden]), [hidden] { display: none !important; }
  * { box-sizing: border-box; }
  p, h2, h3, ol, blockquote { margin: 0; }
  .unseen { position: absolute; width: 1px; height: 1px; overflow: hidden; clip-path: inset(50%); white-space: nowrap; }
  :focus-visible { outline: 3px solid var(--_accent); outline-offset: 2px; }
  button, textarea { font: inherit; color: inherit; }
  button { min-height: 2.75rem; padding: .35rem 1.1rem; font-weight: 600; cursor: pointer; background: var(--_sheet);
    border: 1px solid var(--_field); border-radius: var(--_radius); }
  button:hover { border-color: var(--_ink); }
  .primary { background: var(--_accent); color: var(--_on-accent); border-color: var(--_accent); }
  .quiet { border-color: transparent; background: none; color: var(--_accent); font-weight: 500; padding-inline: .6rem; }
  .quiet:hover { text-decoration: underline; }

  form { background: var(--_sheet); border: 1px solid var(--_field); border-radius: var(--_radius); }
  form:focus-within { border-color: var(--_accent); box-shadow: 0 0 0 1px var(--_accent); }
  label { display: block; font-weight: 600; padding: .7rem .9rem 0; }
  textarea { display: block; width: 100%; min-height: 4.6rem; max-height: 50vh; padding: .4rem .9rem; border: 0; outline: 0; resize: vertical;
    background: transparent; font-size: max(1rem, 16px); field-sizing: content; }
  textarea::placeholder { color: var(--_soft); opacity: 1; }
  .row { display: flex; flex-wrap: wrap; gap: .5rem 1rem; align-items: center; justify-content: space-between; padding: .5rem .9rem .7rem; }
  .row .actions { display: flex; gap: .6rem; margin-inline-start: auto; }
  .hint, .receipt, .disclaimer, .validity { font-size: .875rem; color: var(--_soft); }
  .status { min-height: 1.65rem; margin: .5rem 0; color: var(--_soft); overflow-wrap: anywhere; }
  .status.error { color: var(--_warn); font-weight: 600; }

  article { background: var(--_sheet); border: 1px solid var(--_line); border-radius: var(--_radius); padding: 1rem 1.1rem; overflow-wrap: anywhere; }
  article.is-declined { background: var(--_calm); }
  .asked { color: var(--_soft); white-space: pre-line; }
  h2 { font: 600 1.1rem/1.5 var(--_font); margin: .35rem 0 .4rem; }
  h3 { font: 600 1rem/1.5 var(--_font); margin: 1.1rem 0 .2rem; }
  .answer p + p, .why { margin-top: .6rem; }
  form { margin-bottom: .9rem; }
  :lang(zh) { line-break: strict; }
  .chip { min-width: 1.75rem; min-height: 1.75rem; padding: 0 .35rem; margin: 0 .15rem; font-size: .85rem; line-height: 1; color: var(--_accent);
    border-color: var(--_accent); border-radius: 5px; vertical-align: .08em; }
  .chip:hover, .chip[aria-expanded="true"] { background: var(--_mark); color: var(--_ink); }
  .notice { border-inline-start: 4px solid var(--_warn); background: var(--_calm); padding: .5rem .8rem; margin: .6rem 0; }
  .notice.info { border-color: var(--_accent); }
  .urgent { border: 2px solid var(--_warn); border-radius: var(--_radius); background: var(--_sheet); padding: .7rem .9rem; margin: .6rem 0; font-weight: 600; }
  .urgent strong { color: var(--_warn); }
  .useful { display: flex; flex-wrap: wrap; align-items: center; gap: 0 .3rem; }
  .thumb { min-width: 2.75rem; padding: 0; display: inline-grid; place-items: center; }
  .thumb svg { width: 1.35rem; height: 1.35rem; fill: none; stroke: currentColor; stroke-width: 1.7; stroke-linejoin: round; }
  .thumb#down svg { transform: rotate(180deg); }
  .thumb[aria-pressed="true"] svg { fill: currentColor; }
  .why-down { padding-bottom: .3rem; margin-top: .3rem; }
  .why-down fieldset { border: 0; margin: 0; padding: .7rem .9rem 0; display: flex; flex-wrap: wrap; gap: 0 1.1rem; }
  .why-down legend { float: left; width: 100%; padding: 0; font-weight: 600; }
  .why-down label { font-weight: 400; min-height: 2rem; }
  .why-down fieldset label { padding: .15rem 0; }
  .why-down textarea { min-height: 0; border-block: 1px solid var(--_line); }
  input { accent-color: var(--_accent); width: 1.05rem; height: 1.05rem; vertical-align: -.15em; }
  .goes-on { justify-content: flex-start; gap: 0 .4rem; padding-block: 0; }
  .goes-on button { min-height: 1.75rem; padding-block: 0; }
  .disclaimer { margin-top: .9rem; white-space: pre-line; }
  .sources { list-style: none; padding: 0; }
  .sources li { padding: .6rem 0; border-top: 1px solid var(--_line); }
  .sources button { min-height: 1.75rem; padding: 0; text-align: start; }
  blockquote { margin-top: .3rem; padding-inline-start: .8rem; border-inline-start: 3px solid var(--_line); white-space: pre-line;
    display: -webkit-box; -webkit-box-orient: vertical; -webkit-line-clamp: 4; overflow: hidden; }
  .note { color: var(--_warn); border: 1px solid currentColor; border-radius: 4px; padding: 0 .35rem; margin-inline-start: .35rem; white-space: nowrap; }
  .tools { display: flex; flex-wrap: wrap; gap: .1rem .4rem; align-items: center; margin: .8rem -.6rem 0; border-top: 1px solid var(--_line); padding-top: .4rem; }
  .receipt { margin-inline-start: auto; padding-inline: .6rem; }
  .replies { display: flex; flex-wrap: wrap; gap: .6rem; margin: .8rem 0 .4rem; }
  details { margin-top: .9rem; }
  summary { cursor: pointer; font-weight: 600; padding: .4rem 0; }
  details article { margin-top: .7rem; }

  dialog { position: fixed; inset: 0 0 0 auto; width: min(36rem, 100vw); max-width: none; height: 100dvh; max-height: none; margin: 0; padding: 1rem 1.2rem;
    border: 0; border-inline-start: 1px solid var(--_line); background: var(--_sheet); color: var(--_ink); font: 1rem/1.65 var(--_font); }
  dialog[open] { display: flex; flex-direction: column; gap: .3rem; }
  dialog::backdrop { background: rgb(0 0 0 / .25); }
  .head { display: flex; justify-content: space-between; gap: .8rem; align-items: start; }
  .head h2 { margin: 0; overflow-wrap: anywhere; }
  .head .quiet { font-size: 1.5rem; line-height: 1; min-width: 2.75rem; margin: -.4rem -.5rem 0 0; }
  .locator { color: var(--_accent); font-weight: 600; }
  .text { flex: 1; min-height: 0; overflow: auto; border-block: 1px solid var(--_line); margin-top: .4rem; padding: .7rem .2rem; line-height: 1.9; overflow-wrap: anywhere; }
  .text p { margin-bottom: .5rem; }
  .text .title { font-weight: 600; margin-top: .8rem; }
  .around { color: var(--_soft); }
  mark { background: var(--_mark); color: inherit; padding: .1em 0; }
  .foot { display: flex; flex-wrap: wrap; gap: .2rem 1rem; align-items: center; justify-content: space-between; }
  a { color: var(--_accent); overflow-wrap: anywhere; }

  @container (max-width: 30rem) {
    article { padding: .8rem .85rem; }
    .row .actions, .row .actions button { flex: 1; }
    .row:not(.goes-on) .hint { width: 100%; }
  }
  @media (prefers-reduced-motion: no-preference) { .chip { transition: background .15s; } }
  @media print {
    form, .status, .tools button, rag-ask-feedback, details, .replies, dialog { display: none !important; }
    article { border: 0; padding: 0; }
    blockquote { display: block; }
    .chip { border: 0; padding: 0; min-width: 0; min-height: 0; }
    .chip::before { content: "["; } .chip::after { content: "]"; }
  }
`, Me = [
	"wrong_citation",
	"outdated",
	"not_answered",
	"unclear",
	"harmful",
	"other"
], Ne = class extends U {
	static {
		this.styles = G;
	}
	static {
		this.properties = {
			words: { attribute: !1 },
			answerId: { attribute: !1 },
			question: { attribute: !1 },
			given: { state: !0 },
			isAsking: { state: !0 },
			message: { state: !0 }
		};
	}
	constructor() {
		super(), Object.assign(this, {
			given: "",
			isAsking: !1,
			message: ""
		});
	}
	async down() {
		this.isAsking = !0, await this.updateComplete, this.renderRoot.querySelector("input").focus();
	}
	async cancel() {
		this.isAsking = !1, await this.updateComplete, this.renderRoot.querySelector("#down").focus();
	}
	submit(e) {
		e.preventDefault();
		let t = new FormData(e.target), n = {
			answer_id: this.answerId,
			rating: "down",
			comment: String(t.get("comment")).trim()
		};
		t.get("reason") && (n.reason = t.get("reason")), t.get("withQuestion") && (n.question = this.question), this.send(n);
	}
	async send(e) {
		try {
			await this.service.rate(e), Object.assign(this, {
				given: e.rating,
				isAsking: !1,
				message: this.words.thanks
			}), await this.updateComplete, this.renderRoot.querySelector(`#${e.rating}`).focus();
		} catch {
			this.message = this.words.notKept;
		}
	}
	render() {
		let { words: e, given: t } = this, n = (n, r) => k`<button type="button" class="quiet thumb" id=${n} title=${e[n]}
      aria-label=${e[n]} aria-pressed=${String(t === n)} @click=${r}><svg viewBox="0 0 24 24" aria-hidden="true">
      <path d="M7 10v10H3V10zM7 11l4-8c1.7 0 2.6 1 2.3 2.7L12.6 9H19c1.300 0 2.200 1.200 1.900 2.500l-1.600 7c-.2.9-1 1.500-1.900 1.500H7"/></svg></button>`;
		return k`<div class="useful"><span class="hint">${e.wasUseful}</span>
      ${n("up", () => void this.send({
			answer_id: this.answerId,
			rating: "up"
		}))}${n("down", () => void this.down())}
      <span class="hint" role="status">${this.message}</span></div>
      ${this.isAsking ? k`<form class="why-down" part="feedback" @submit=${this.submit}
          @keydown=${(e) => e.key === "Escape" && void this.cancel()}>
        <fieldset><legend>${e.whatWasWrong}</legend>${Me.map((t) => k`<label><input type="radio" name="reason" value=${t}> ${e.reasons[t]}</label>`)}</fieldset>
        <label for="comment">${e.comment}</label>
        <textarea id="comment" name="comment" rows="2" maxlength="2000" dir="auto"></textarea>
        <label><input type="checkbox" name="withQuestion"> ${e.withQuestion}</label>
        <div class="row"><button type="button" part="button" @click=${this.cancel}>${e.cancel}</button>
          <button class="primary" part="button">${e.send}</button></div>
      </form>` : j}`;
	}
};
customElements.define("rag-ask-feedback", Ne);
// src/service.ts
var Pe = 2e4, Fe = 2e4, K = class extends Error {
	constructor(e, t, n = [], r = !1, i = []) {
		super(t), this.status = e, this.passages = n, this.fromPortal = r, this.notices = i;
	}
}, Ie = class {
	constructor(e, t) {
		this.base = e, this.ticketUrl = t, this.ticket = null;
	}
	async ask(e, t, n) {
		let r = !1, i = (e) => {
			r = !0, t(e);
		}, a = new AbortController(), o = setTimeout(() => r || a.abort(), Pe);
		try {
			let t = await this.post(e, !0, AbortSignal.any([n, a.signal]));
			await (t.headers.get("Content-Type")?.startsWith("text/event-stream") ? ze(t, i) : Re(t, i));
		} catch (i) {
			let o = a.signal.aborted || i instanceof K && i.status === 0 && !i.fromPortal;
			if (n.aborted || r || !o) throw i;
			await Re(await this.post(e, !1, n), t);
		} finally {
			clearTimeout(o);
		}
	}
	versionText(e, t, n) {
		return this.getJson(`/v1/versions/${encodeURIComponent(e)}/text?start=${t}&end=${n}`);
	}
	async versions(e) {
		return (await this.getJson(`/v1/documents/${encodeURIComponent(e)}/versions`)).versions;
	}
	async lookup(e, t) {
		let n = new URLSearchParams({
			citation: e,
			collection: t
		});
		return (await this.getJson(`/v1/lookup?${n}`)).hits[0];
	}
	async rate(e) {
		await this.postJson("/v1/feedback", e);
	}
	post(e, t, n) {
		return this.postJson("/v1/ask", {
			...e,
			stream: t
		}, n);
	}
	postJson(e, t, n = null) {
		return this.request(e, {
			method: "POST",
			body: JSON.stringify(t),
			signal: n,
			headers: { "Content-Type": "application/json" }
		});
	}
	async getJson(e) {
		let t = await this.request(e, {});
		return q(() => t.json());
	}
	async request(e, t) {
		let n = await this.send(e, t), r = this.ticketUrl && (n.status === 401 || n.status === 429 && !n.headers.get("Retry-After")?.match(/^\d{3,}/));
		r && (this.ticket = null);
		let i = r ? await this.send(e, t) : n;
		if (i.ok) return i;
		let a = await i.json().catch(() => ({}));
		throw new K(i.status, a.detail ?? i.statusText, a.passages, !1, a.notices);
	}
	async send(e, t) {
		let n = new Headers(t.headers);
		return this.ticketUrl && n.set("Authorization", `Bearer ${await this.currentTicket()}`), q(() => fetch(this.base + e, {
			...t,
			headers: n,
			credentials: "omit",
			referrerPolicy: "no-referrer"
		}));
	}
	async currentTicket() {
		let e = await this.ticket?.catch(() => null);
		return (!e || performance.now() >= e.renewAt) && (this.ticket = Le(this.ticketUrl)), (await this.ticket).text;
	}
};
async function Le(e) {
	try {
		let t = await fetch(e, {
			method: "POST",
			credentials: "same-origin",
			headers: { Accept: "application/json" }
		});
		if (!t.ok) throw new K(t.status, t.statusText, [], !0);
		let { ticket: n, expires_in_s: r } = await t.json();
		return {
			text: String(n),
			renewAt: performance.now() + Number(r) * 1e3 - Fe
		};
	} catch (e) {
		throw e instanceof K ? e : new K(0, "no ticket", [], !0);
	}
}
async function q(e) {
	try {
		return await e();
	} catch (e) {
		throw e instanceof K || e instanceof DOMException && e.name === "AbortError" ? e : new K(0, "cut");
	}
}
async function Re(e, t) {
	let n = await q(() => e.json());
	t({
		name: n.clarify ? "clarify" : "done",
		data: n
	});
}
async function ze(e, t) {
	let n = e.body.pipeThrough(new TextDecoderStream()).getReader(), r = "", i = "";
	for (;;) {
		let { done: e, value: a } = await q(() => n.read());
		r += a ?? "";
		let o = r.split("\n\n");
		r = o.pop();
		for (let e of o) {
			let [, n, r] = e.match(/^event: (\w+)\ndata: (.*)$/s) ?? [];
			n && (i = n, t({
				name: n,
				data: JSON.parse(r)
			}));
		}
		if (e) break;
	}
	if (![
		"done",
		"clarify",
		"error"
	].includes(i)) throw new K(0, "cut");
}
// src/text.ts
var Be = /[\u200b\u200e\u200f\u2028-\u202e\u2060-\u2069\ufeff]/g;
function J(e) {
	return e.replace(Be, (e) => `[U+${e.charCodeAt(0).toString(16).toUpperCase().padStart(4, "0")}]`);
}
function Y(e) {
	return /\p{Script=Han}/u.test(e) ? "zh-CN" : "en";
}
function X(e, t) {
	let n = e.split(/(\[\d+\]|\n+)/), r = [...t];
	for (let e = n.length - 1; e >= 0 && r.length; --e) n[e] === r.at(-1).marker && (n[e] = r.pop());
	let i = [[]];
	for (let e of n) typeof e == "string" && e.startsWith("\n") ? i.push([]) : e !== "" && i.at(-1).push(e);
	return i.filter((e) => e.length);
}
function Ve(e, t, n, r) {
	let i = Array.from(e), a = (e, n) => !!e && n + t >= e.start && n + t < e.end, o = [];
	for (let e = 0, t = 0; t <= i.length; t += 1) {
		if (t < i.length && i[t] !== "\n") continue;
		let s = i.slice(e, t).join(""), c = /^\s*<!--.*-->\s*$/.test(s) && !a(n, e), l = Array.from(/^\s*#{1,6}\s+/.exec(s)?.[0] ?? "").length, u = [];
		for (let o = e + l; o < t && !c; o += 1) {
			let [e, t] = [a(r, o), a(n, o)], s = u.at(-1);
			s && s.isQuoted === e && s.isInside === t ? s.text += i[o] : u.push({
				text: i[o],
				isQuoted: e,
				isInside: t
			});
		}
		u.some((e) => e.text.trim()) && o.push({
			stretches: u,
			isTitle: l > 0
		}), e = t + 1;
	}
	return o;
}
// src/validity.ts
function Z() {
	return (/* @__PURE__ */ new Date()).toLocaleDateString("sv");
}
var He = .8;
function Q(e, t) {
	let { effective_from: n, effective_to: r } = e, i = [n && t.from(n), r && t.until(r)].filter(Boolean).join(" · "), a = i && e.validity_source === "inferred" ? t.inferred : i && e.validity_source === "given" ? t.given : "", o = Z(), s = [
		(e.status && {
			"in force": "",
			future: t.ahead,
			superseded: t.superseded,
			repealed: t.past
		}[e.status]) ?? (r && r <= o ? t.past : n && n > o ? t.ahead : ""),
		a,
		e.confidence != null && e.confidence < He ? t.doubtful(Math.round(e.confidence * 100)) : ""
	].filter(Boolean);
	return {
		days: i || t.always,
		notes: s
	};
}
function Ue(e, t, n) {
	let r = (e) => e.effective_from ?? "", i = t.filter((t) => t.version_id !== e.version_id && r(t) > r(e)), a = i.filter((e) => r(e) <= Z()).at(-1);
	return a ? {
		text: n.newer(a.effective_from),
		isInForce: !a.effective_to || a.effective_to > Z()
	} : i.length ? {
		text: n.upcoming(r(i[0])),
		isInForce: !1
	} : null;
}
// src/source-panel.ts
var We = 1200, Ge = class extends U {
	constructor(...e) {
		super(...e), this.article = null, this.around = We;
	}
	static {
		this.styles = G;
	}
	static {
		this.properties = {
			words: { attribute: !1 },
			source: { state: !0 },
			lines: { state: !0 },
			failure: { state: !0 },
			hasMore: { state: !0 },
			newer: { state: !0 }
		};
	}
	async open(e, t) {
		let n = (t) => t.version_id === e.version_id && t.start <= e.start && e.end <= t.end;
		this.article = t.find(n) ?? e, Object.assign(this, {
			source: e,
			lines: null,
			failure: "",
			hasMore: !1,
			newer: null,
			around: We
		}), await this.updateComplete;
		let r = this.renderRoot.querySelector("dialog");
		r.open || r.showModal(), this.renderRoot.querySelector("h2").focus(), await Promise.all([this.read(), this.lookForNewer(e)]);
	}
	close() {
		this.renderRoot.querySelector("dialog")?.close();
	}
	async read() {
		let { source: e, article: t, around: n } = this;
		if (e && t) try {
			let { length: r } = await this.service.versionText(e.version_id, 0, 0), [i, a] = [Math.max(0, t.start - n), Math.min(r, t.end + n)], { text: o } = await this.service.versionText(e.version_id, i, a);
			if (e !== this.source) return;
			this.lines = Ve(o, i, t, "quote" in e ? e : null), this.hasMore = i > 0 || a < r, await this.updateComplete, this.renderRoot.querySelector("mark, .inside")?.scrollIntoView({ block: "center" });
		} catch (t) {
			e === this.source && (this.failure = t instanceof K && t.status === 0 ? this.words.offline : this.words.failed);
		}
	}
	async lookForNewer(e) {
		let t = await this.service.versions(e.document_id).catch(() => []);
		e === this.source && (this.newer = Ue(e, t, this.words));
	}
	async openNewer() {
		let e = this.source, t = await this.service.lookup(`${e.work}${e.locator}`, e.collection).catch(() => void 0);
		t ? await this.open(t, []) : this.newer = {
			...this.newer,
			isInForce: !1
		};
	}
	showMore() {
		this.around *= 4, this.renderRoot.querySelector("h2").focus(), this.read();
	}
	render() {
		let { source: e, words: t } = this;
		if (!e) return k`<dialog></dialog>`;
		let { days: n, notes: r } = Q(e, t), i = URL.canParse(e.url ?? "") && /^https?:$/.test(new URL(e.url).protocol) ? new URL(e.url).host : "";
		return k`<dialog part="panel" aria-labelledby="title locator" lang=${t.htmlLang}
        @close=${() => this.dispatchEvent(new Event("closed"))}
        @click=${(e) => e.target === e.currentTarget && this.close()}>
      <div class="head">
        <div>
          <h2 id="title" tabindex="-1" dir="auto" lang=${Y(e.title)}>${J(e.title)}</h2>
          <p id="locator" class="locator">${J(e.locator)}</p>
        </div>
        <button type="button" class="quiet" aria-label=${t.close} @click=${() => this.close()}>×</button>
      </div>
      <p class="validity" part="validity">${n}${r.map((e) => k`<span class="note">${e}</span>`)}</p>
      ${this.newer ? k`<p class="notice" role="status">${this.newer.text}
        ${this.newer.isInForce && e.locator ? k`<button type="button" class="quiet" @click=${() => void this.openNewer()}>${t.openNewer}</button>` : j}</p>` : j}
      <div class="text" part="source-text" tabindex="0" role="region" aria-labelledby="title">${this.text()}</div>
      <div class="foot">
        ${this.hasMore ? k`<button type="button" @click=${() => this.showMore()}>${t.more}</button>` : j}
        ${i ? k`<a href=${e.url} target="_blank" rel="noopener noreferrer">${t.origin(i)}</a>` : j}
      </div>
    </dialog>`;
	}
	text() {
		return this.failure ? k`<p role="alert">${this.failure}</p>` : this.lines ? this.lines.map((e) => k`<p dir="auto" class=${e.isTitle ? "title" : ""}
      lang=${Y(e.stretches.map((e) => e.text).join(""))}>${e.stretches.map((e) => e.isQuoted ? k`<mark>${J(e.text)}</mark>` : k`<span class=${e.isInside ? "inside" : "around"}>${J(e.text)}</span>`)}</p>`) : k`<p role="status">${this.words.loading}</p>`;
	}
};
function $(e) {
	return J([e.title, e.locator].filter(Boolean).join(" "));
}
customElements.define("rag-ask-source", Ge);
// src/paper.ts
function Ke(e, t, n) {
	let r = t.citations.map((e) => {
		let { days: t, notes: r } = Q(e, n);
		return `${e.marker} ${$(e)} (${[t, ...r].join("; ")})\n    “${e.quote.trim()}”${e.url ? `\n    ${e.url}` : ""}`;
	});
	return J([
		e,
		(t.notices ?? []).map((e) => e.text.trim()).join("\n"),
		t.answer.trim(),
		r.join("\n"),
		t.disclaimer.trim(),
		n.receipt(t.answer_id)
	].filter(Boolean).join("\n\n"));
}
function qe(e) {
	let t = new CSSStyleSheet();
	t.replaceSync("@media print { [data-ragsvc-unprinted] { display: none !important; } }");
	let n = [], r = e;
	for (; r !== document.body && (r.parentNode || r instanceof ShadowRoot);) {
		let e = r instanceof ShadowRoot ? r.host : r.parentNode;
		if (!(r instanceof ShadowRoot) && !(e instanceof ShadowRoot)) for (let t of e.childNodes) t !== r && t instanceof Element && n.push(t);
		r = e;
	}
	for (let e of n) e.toggleAttribute("data-ragsvc-unprinted", !0);
	document.adoptedStyleSheets.push(t), window.print();
	for (let e of n) e.removeAttribute("data-ragsvc-unprinted");
	document.adoptedStyleSheets = document.adoptedStyleSheets.filter((e) => e !== t);
}
// src/words/en.ts
var Je = /* @__PURE__ */ t({ words: () => Ye }), Ye = {
	htmlLang: "en",
	question: "Your question",
	placeholder: "For example: When may a landlord enter my flat?",
	ask: "Ask",
	stop: "Stop",
	hint: "Enter asks, Shift+Enter makes a new line.",
	asOf: (e) => `Answers from the text in force on ${e}`,
	searching: "Searching…",
	writing: "Writing…",
	done: "The answer is complete.",
	stopped: "Stopped.",
	asksBack: "A question back to you.",
	answer: "Answer",
	incomplete: "Answer (incomplete)",
	abstained: "No reliable basis was found",
	clarify: "Please tell a little more",
	unsure: "I don’t know",
	reply: "Or answer in your own words in the field above.",
	whyAbstained: "Nothing is answered without a source that supports it. Put the question another way, or look at the nearest passages below.",
	urgent: "Read this first",
	notices: "Please note",
	follows: "Goes on from your last question",
	fresh: "New topic",
	sources: "Quoted sources",
	nearest: (e) => `Nearest passages (${e}; they may not fit)`,
	passages: (e) => `Passages found (${e})`,
	cited: (e, t) => `Citation ${e}: ${t}, open the source`,
	copy: "Copy with citations",
	copied: "Copied.",
	print: "Print",
	again: "Ask again",
	clear: "Clear history",
	earlier: (e) => `Earlier questions (${e}; kept in this page only)`,
	always: "no date of effect stated",
	from: (e) => `in force from ${e}`,
	until: (e) => `no longer from ${e}`,
	past: "no longer in force",
	ahead: "not yet in force",
	inferred: "date inferred, please check",
	given: "date set by the operator",
	superseded: "replaced by a newer version",
	doubtful: (e) => `text recognition ${e}% sure, compare the original`,
	wasUseful: "Was this answer helpful?",
	up: "Helpful",
	down: "Not helpful",
	whatWasWrong: "What was wrong?",
	reasons: {
		wrong_citation: "A wrong citation",
		outdated: "Outdated",
		not_answered: "Not what I asked",
		unclear: "Hard to understand",
		harmful: "Could do harm",
		other: "Something else"
	},
	comment: "In your words (optional; no personal data, please)",
	withQuestion: "Send my question along",
	send: "Send",
	cancel: "Cancel",
	thanks: "Thank you, your feedback was kept.",
	notKept: "Your feedback did not arrive. Please try again later.",
	newer: (e) => e ? `A newer version exists, in force from ${e}.` : "A newer version exists.",
	openNewer: "Open the text in force",
	upcoming: (e) => `A new version takes effect on ${e}.`,
	close: "Close the source",
	loading: "Reading the source…",
	more: "Show more around it",
	origin: (e) => `Official source (${e})`,
	receipt: (e) => `Answer ${e}`,
	broken: "The connection broke: the answer is incomplete.",
	modelFailed: "The answer could not be completed. Here are the passages that were found.",
	offline: "The service cannot be reached. Check your connection and try again.",
	noTicket: "This page cannot use the service right now. Reload it or try again later.",
	problems: {
		400: "This cannot be asked like that",
		404: "Nothing to answer from",
		413: "Too long",
		429: "Too many questions. Please try again later."
	},
	failed: "Something failed. Please try again later."
}, Xe = /* @__PURE__ */ t({ words: () => Ze }), Ze = {
	htmlLang: "zh-CN",
	question: "您的问题",
	placeholder: "例如：房东不退押金怎么办？",
	ask: "提问",
	stop: "停止",
	hint: "按 Enter 提问，Shift+Enter 换行。",
	asOf: (e) => `按 ${e} 有效的文本作答`,
	searching: "正在检索…",
	writing: "正在作答…",
	done: "回答完毕。",
	stopped: "已停止。",
	asksBack: "需要再了解一点情况。",
	answer: "回答",
	incomplete: "回答（不完整）",
	abstained: "没有找到可靠的依据",
	clarify: "请补充",
	unsure: "不清楚",
	reply: "也可以在上面的输入框里用自己的话回答。",
	whyAbstained: "为避免误导，没有依据时不作回答。可以换一种说法再问，或查看下面最接近的原文。",
	urgent: "请先看这里",
	notices: "请注意",
	follows: "接着刚才的问题",
	fresh: "换个新话题",
	sources: "引用的原文",
	nearest: (e) => `最接近的 ${e} 段原文（未必切题）`,
	passages: (e) => `检索到的 ${e} 段原文`,
	cited: (e, t) => `引用 ${e}：${t}，打开原文`,
	copy: "复制（含引用）",
	copied: "已复制。",
	print: "打印",
	again: "再问一次",
	clear: "清除记录",
	earlier: (e) => `此前的 ${e} 个问题（仅保留在本页）`,
	always: "未载明施行日期",
	from: (e) => `自 ${e} 起施行`,
	until: (e) => `自 ${e} 起不再适用`,
	past: "已失效",
	ahead: "尚未施行",
	inferred: "施行日期系推定，请核对",
	given: "施行日期由管理员指定",
	superseded: "已被新版本取代",
	doubtful: (e) => `文字识别把握 ${e}%，请对照原件`,
	wasUseful: "这个回答有帮助吗？",
	up: "有帮助",
	down: "没有帮助",
	whatWasWrong: "哪里不好？",
	reasons: {
		wrong_citation: "引用不对",
		outdated: "内容过时",
		not_answered: "没有回答问题",
		unclear: "看不明白",
		harmful: "可能造成伤害",
		other: "其他"
	},
	comment: "补充说明（可不填，请勿写个人信息）",
	withQuestion: "把我的问题一并发送",
	send: "发送",
	cancel: "取消",
	thanks: "谢谢，已收到您的反馈。",
	notKept: "反馈没有送达，请稍后再试。",
	newer: (e) => e ? `此后已有新版本，自 ${e} 起施行。` : "此后已有新版本。",
	openNewer: "查看现行文本",
	upcoming: (e) => `新版本将自 ${e} 起施行。`,
	close: "关闭原文",
	loading: "正在读取原文…",
	more: "显示更多上下文",
	origin: (e) => `官方来源（${e}）`,
	receipt: (e) => `回答编号 ${e}`,
	broken: "连接中断，回答不完整。",
	modelFailed: "回答未能完成。以下是检索到的原文，可直接查阅。",
	offline: "无法连接服务，请检查网络后再试。",
	noTicket: "本页暂时不能使用问答服务，请刷新页面或稍后再试。",
	problems: {
		400: "无法按此提问",
		404: "没有可用的资料",
		413: "内容过长",
		429: "提问过多，请稍后再试。"
	},
	failed: "服务出错，请稍后再试。"
}, Qe = new Map(Object.entries(/* @__PURE__ */ Object.assign({
	"./en.ts": Je,
	"./zh.ts": Xe
})).map(([e, t]) => [e.slice(2, -3), t.words]));
function $e(e) {
	return Qe.get(e.toLowerCase().split("-")[0]) ?? Qe.get("en");
}
// src/rag-ask.ts
var et = class extends U {
	static {
		this.styles = G;
	}
	static {
		this.properties = {
			service: {},
			ticketUrl: { attribute: "ticket-url" },
			collections: {},
			lang: {},
			asOf: { attribute: "as-of" },
			placeholder: {},
			entries: { state: !0 },
			isFresh: { state: !0 },
			status: { state: !0 },
			isError: { state: !0 },
			stopper: { state: !0 }
		};
	}
	constructor() {
		super(), this.opener = null, Object.assign(this, {
			service: "",
			ticketUrl: "",
			collections: "",
			asOf: "",
			placeholder: "",
			lang: "",
			entries: [],
			isFresh: !1,
			status: "",
			isError: !1,
			stopper: null
		});
	}
	willUpdate(e) {
		if (!this.client || e.has("service") || e.has("ticketUrl")) {
			let e = new URL(this.service || "..", this.service ? document.baseURI : import.meta.url).href;
			this.client = new Ie(e.replace(/\/$/, ""), this.ticketUrl && new URL(this.ticketUrl, document.baseURI).href);
		}
	}
	disconnectedCallback() {
		super.disconnectedCallback(), this.stopper?.abort();
	}
	get words() {
		return $e(this.lang || document.documentElement.lang || navigator.language);
	}
	get panel() {
		return this.renderRoot.querySelector("rag-ask-source");
	}
	get field() {
		return this.renderRoot.querySelector("textarea");
	}
	submit(e) {
		e.preventDefault();
		let t = this.field.value.trim();
		t && !this.stopper && (this.ask(t, this.conversation()), this.field.value = "");
	}
	conversation() {
		let e = this.entries.find((e) => e.answer && e.text);
		return e && !this.isFresh ? tt(e) : [];
	}
	async ask(e, t = []) {
		let n = {
			question: e,
			history: t,
			text: "",
			citations: [],
			passages: [],
			notices: [],
			answer: null,
			isOver: !1,
			notice: ""
		};
		this.isFresh = !1, this.entries = [n, ...this.entries], this.stopper = new AbortController(), this.say(this.words.searching);
		try {
			await this.client.ask(this.toQuestion(n), (e) => this.receive(n, e), this.stopper.signal);
		} catch (e) {
			this.fail(n, e);
		} finally {
			n.isOver = !0, this.stopper = null;
		}
	}
	toQuestion(e) {
		let t = this.asOf && this.asOf !== "today" ? { as_of: this.asOf } : {}, n = e.history.length ? { history: e.history } : {};
		return {
			question: e.question,
			collections: this.collections.split(/[\s,]+/).filter(Boolean),
			...t,
			...n
		};
	}
	receive(e, t) {
		if (t.name === "passages") e.passages = t.data.passages, this.say(this.words.writing);
		else if (t.name === "notice") e.notices = [...e.notices, t.data];
		else if (t.name === "citation") e.citations = [...e.citations, t.data];
		else if (t.name === "token") e.text += t.data.text;
		else if (t.name === "error") this.fail(e, new K(t.data.status, t.data.detail, t.data.passages, !1, t.data.notices));
		else {
			let { answer: n, citations: r, passages: i, notices: a = e.notices } = t.data;
			Object.assign(e, {
				answer: t.data,
				text: n,
				citations: r,
				passages: i,
				notices: a
			}), this.say(t.data.clarify ? this.words.asksBack : t.data.abstained ? this.words.abstained : this.words.done);
		}
		this.requestUpdate();
	}
	fail(e, t) {
		if (t instanceof DOMException && t.name === "AbortError") return this.say(this.words.stopped);
		let { words: n } = this, r = t instanceof K ? t : new K(-1, "");
		r.passages.length && (e.passages = r.passages), r.notices.length && (e.notices = r.notices), (e.text || e.passages.length) && (e.notice = r.status === 0 ? n.broken : n.modelFailed);
		let i = r.status === 0 ? n.offline : n.problems[r.status];
		this.say(r.fromPortal || r.status === 401 || r.status === 403 ? n.noTicket : i ?? n.failed, !0);
	}
	say(e, t = !1) {
		Object.assign(this, {
			status: e,
			isError: t
		});
	}
	onKey(e) {
		e.key !== "Enter" || e.shiftKey || e.isComposing || e.keyCode === 229 || this.submit(e);
	}
	open(e, t, n) {
		this.opener = e.currentTarget, this.opener.setAttribute("aria-expanded", "true"), this.panel.open(t, n.passages);
	}
	closed() {
		this.opener?.setAttribute("aria-expanded", "false"), (this.opener?.isConnected ? this.opener : this.field).focus();
	}
	async copy(e) {
		await navigator.clipboard.writeText(Ke(e.question, e.answer, this.words)), this.say(this.words.copied);
	}
	startAfresh() {
		this.isFresh = !0, this.field.focus();
	}
	clear() {
		this.entries = this.entries.slice(0, 1), this.field.focus();
	}
	render() {
		let { words: e, entries: [t, ...n], stopper: r } = this, i = t && !r && this.conversation().length > 0, a = this.asOf && this.asOf !== "today" && this.asOf !== Z() ? k`<span class="hint">${e.asOf(this.asOf)}</span>` : k`<span class="hint" id="hint">${e.hint}</span>`;
		return k`<div lang=${e.htmlLang} part="widget">
      <form part="form" @submit=${this.submit}>
        <label for="question">${e.question}</label>
        <textarea id="question" part="question" rows="2" maxlength="4000" dir="auto" autocomplete="off" aria-describedby="hint"
          placeholder=${this.placeholder || e.placeholder} @keydown=${this.onKey}></textarea>
        ${i ? k`<div class="row goes-on"><span class="hint">${e.follows}</span>
          <button type="button" class="quiet" @click=${this.startAfresh}>${e.fresh}</button></div>` : j}
        <div class="row">${a}<div class="actions">
          ${r ? k`<button type="button" part="button" @click=${() => {
			r.abort(), this.field.focus();
		}}>${e.stop}</button>` : j}
          <button class="primary" part="button ask" aria-disabled=${je(String(!!r))}>${e.ask}</button>
        </div></div>
      </form>
      <p class="status ${this.isError ? "error" : this.status === e.done ? "unseen" : ""}" part="status" role="status">${this.status}</p>
      ${t ? this.entry(t, !0) : j}
      ${n.length ? k`<details part="history"><summary>${e.earlier(n.length)}</summary>
        ${n.map((e) => this.entry(e, !1))}
        <button type="button" class="quiet" @click=${this.clear}>${e.clear}</button></details>` : j}
      <rag-ask-source exportparts="panel, source-text, validity" .service=${this.client} .words=${e} @closed=${this.closed}></rag-ask-source>
    </div>`;
	}
	entry(e, t) {
		let { words: n } = this, { answer: r, passages: i } = e, a = !!r?.abstained, o = e.notices.filter((e) => e.severity === "urgent"), s = e.notices.filter((e) => e.severity !== "urgent");
		if (!r && !e.text && !i.length && !e.notices.length && !t) return j;
		let c = nt(e.citations, e.text), l = (t) => k`<ol class="sources">${t.map((t) => this.item(e, ...t))}</ol>`;
		return k`<article part="answer" class=${a ? "is-declined" : ""}>
      <p class="asked" dir="auto" lang=${Y(e.question)}>${J(e.question)}</p>
      ${o.map((t) => this.notice(e, t))}
      ${e.text || e.isOver ? k`<h2>${this.heading(e)}</h2>` : j}
      ${e.notice ? k`<p class="notice">${e.notice}</p>` : j}
      <div class="answer" part="text" lang=${Y(e.text)} aria-live=${t ? "polite" : "off"} aria-busy=${String(!e.isOver)}>
        ${X(e.text, e.citations).map((t) => k`<p dir="auto">${t.map((t) => this.piece(e, t))}</p>`)}</div>
      ${a ? k`<p class="hint why">${n.whyAbstained}</p>` : j}
      ${s.length ? k`<div class="notices" role="note" aria-label=${n.notices}>${s.map((t) => this.notice(e, t))}</div>` : j}
      ${r?.clarify && t ? k`<div class="replies">${[...r.clarify.choices ?? [], n.unsure].map((t) => k`<button type="button" part="button reply" @click=${() => void this.ask(t, tt(e))}>${t}</button>`)}</div>
        <p class="hint">${n.reply}</p>` : j}
      ${c.length ? k`<h3>${n.sources}</h3>${l(c)}` : j}
      ${i.length && e.isOver ? k`<details ?open=${a || !!e.notice}><summary>${(a ? n.nearest : n.passages)(i.length)}</summary>
        ${l(i.map((e) => [
			e,
			e.text,
			""
		]))}</details>` : j}
      ${r?.disclaimer ? k`<p class="disclaimer" part="disclaimer" lang=${Y(r.disclaimer)}>${r.disclaimer}</p>` : j}
      ${e.isOver ? this.tools(e) : j}
    </article>`;
	}
	notice(e, t) {
		let n = t.severity === "urgent", r = X(t.text, t.citations), i = t.citations.filter((e) => !r.flat().includes(e));
		return k`<div class=${n ? "urgent" : `notice ${t.severity}`} part="notice ${t.severity}" lang=${t.language}
        role=${n ? "alert" : j}>${n ? k`<strong>${this.words.urgent}</strong>` : j}
      ${r.map((t, n) => k`<p dir="auto">${t.map((t) => this.piece(e, t))}${n === r.length - 1 ? i.map((t) => this.piece(e, t)) : j}</p>`)}</div>`;
	}
	heading(e) {
		let { answer: t } = e;
		return t ? t.clarify ? this.words.clarify : t.abstained ? this.words.abstained : this.words.answer : e.isOver ? this.words.incomplete : this.words.answer;
	}
	piece(e, t) {
		if (typeof t == "string") return J(t);
		let n = t.marker.slice(1, -1);
		return k`<button type="button" class="chip" part="citation" aria-haspopup="dialog" aria-expanded="false" title=${$(t)}
      aria-label=${this.words.cited(n, $(t))} @click=${(n) => this.open(n, t, e)}>${n}</button>`;
	}
	item(e, t, n, r) {
		let { days: i, notes: a } = Q(t, this.words);
		return k`<li part="source"><button type="button" class="quiet" aria-haspopup="dialog" aria-expanded="false"
        @click=${(n) => this.open(n, t, e)}>${r} ${$(t)}</button>
      <p class="validity">${i}${a.map((e) => k`<span class="note">${e}</span>`)}</p>
      ${n ? k`<blockquote dir="auto" lang=${Y(n)}>${J(n.trim())}</blockquote>` : j}</li>`;
	}
	tools(e) {
		let { words: t } = this, { answer: n } = e, r = n && !n.clarify;
		return k`<div class="tools" part="tools">
      ${r && navigator.clipboard ? k`<button type="button" class="quiet" @click=${() => void this.copy(e)}>${t.copy}</button>` : j}
      ${r ? k`<button type="button" class="quiet" @click=${() => qe(this)}>${t.print}</button>` : j}
      ${n ? j : k`<button type="button" class="quiet" @click=${() => !this.stopper && void this.ask(e.question, e.history)}>${t.again}</button>`}
      ${n ? k`<span class="receipt">${t.receipt(n.answer_id)}</span>` : j}
    </div>
    ${r ? k`<rag-ask-feedback part="feedback" exportparts="feedback, button" .service=${this.client} .words=${t} .answerId=${n.answer_id}
      .question=${e.question}></rag-ask-feedback>` : j}`;
	}
};
function tt(e) {
	return [
		...e.history,
		{
			role: "user",
			content: e.question
		},
		{
			role: "assistant",
			content: e.text
		}
	].slice(-12);
}
function nt(e, t) {
	let n = /* @__PURE__ */ new Map();
	for (let t of e) n.set(t.marker, [...n.get(t.marker) ?? [], t]);
	let r = (e) => [...new Set(e.map((e) => e.quote.trim()))].filter((e) => !t.includes(e));
	return [...n].map(([e, t]) => [
		t[0],
		r(t).join("\n"),
		e
	]);
}
customElements.get("rag-ask") || customElements.define("rag-ask", et);
