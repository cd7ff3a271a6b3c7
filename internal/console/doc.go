// Package console is the web console: a live wall of all streams, each stream's
// history, the rules that act on it, and the ledger of deliveries, as pages for a
// browser under [Path].
//
// Pages are rendered on the server with html/template, in the language of the
// viewer; htmx replaces parts of them, and small scripts of our own do what needs
// to be live. Everything is in the program: no page asks another host for
// anything, and the Content-Security-Policy says so. The console changes nothing
// by itself: it calls what the control API and the ledger call.
//
// A page is a [route] in the list of its area (wallRoutes, ruleRoutes, …), with
// its function in the area's file, its template in templates/NAME.html and its
// words in words/en.json and words/zh.json, or words/en-AREA.json and
// words/zh-AREA.json. What is the same for all pages: a form that changes something
// has {{template "csrf" $}} in it; a button that does harm has data-confirm;
// {{ago .Time}} and {{when .Time}} write times; scripts find what they share at
// the head of static/console.js.
package console
