package console

import (
	"context"
	"errors"
	"html/template"
	"log/slog"
	"net/http"
	"net/url"

	"github.com/stillcast/stillcast"
	"github.com/stillcast/stillcast/internal/api"
)

// errChanged says that a resource is not any more what a form was filled from.
var errChanged = errors.New("the resource was changed meanwhile")

// watched is a [api.Control] that refuses to change a resource which is not as the
// form showed it. It looks within the change, so that nothing comes in between.
type watched struct {
	api.Control

	unchanged func(version string) bool
	changed   bool // by this change itself, which is no surprise to it
}

func (v *view) watch(c api.Control, version string) *watched {
	return &watched{Control: c, unchanged: func(now string) bool { return v.version(now) == version }}
}

// look reports a resource that is not as it was.
func (w *watched) look(version string) error {
	if !w.changed && !w.unchanged(version) {
		return errChanged
	}
	return nil
}

// note notes a change that was made.
func (w *watched) note(err error) { w.changed = w.changed || err == nil }

// EditDomain implements [api.Control].
func (w *watched) EditDomain(
	ctx context.Context, name string, create bool, edit func(*stillcast.Domain) error,
) (before, after stillcast.Domain, err error) {
	before, after, err = w.Control.EditDomain(ctx, name, create, func(d *stillcast.Domain) error {
		if !create {
			if err := w.look(versionOf(*d, d.Auth.Key, d.Auth.BackupKey)); err != nil {
				return err
			}
		}
		return edit(d)
	})
	w.note(err)
	return before, after, err
}

// EditSnapshotTemplate implements [api.Control].
func (w *watched) EditSnapshotTemplate(
	ctx context.Context, id int64, edit func(*stillcast.SnapshotTemplate) error,
) (before, after stillcast.SnapshotTemplate, err error) {
	before, after, err = w.Control.EditSnapshotTemplate(ctx, id, func(t *stillcast.SnapshotTemplate) error {
		if id != 0 {
			if err := w.look(versionOf(*t)); err != nil {
				return err
			}
		}
		return edit(t)
	})
	w.note(err)
	return before, after, err
}

// EditCallbackTemplate implements [api.Control].
func (w *watched) EditCallbackTemplate(
	ctx context.Context, id int64, edit func(*stillcast.CallbackTemplate) error,
) (before, after stillcast.CallbackTemplate, err error) {
	before, after, err = w.Control.EditCallbackTemplate(ctx, id, func(t *stillcast.CallbackTemplate) error {
		if id != 0 {
			if err := w.look(versionOf(*t, t.Key, t.SigningSecret, t.PreviousSecret)); err != nil {
				return err
			}
		}
		return edit(t)
	})
	w.note(err)
	return before, after, err
}

// EditSnapshotRule implements [api.Control].
func (w *watched) EditSnapshotRule(
	ctx context.Context, domain, app, stream string, edit func(*stillcast.SnapshotRule) error,
) (before, after stillcast.SnapshotRule, err error) {
	return w.Control.EditSnapshotRule(ctx, domain, app, stream, func(r *stillcast.SnapshotRule) error {
		if err := w.look(versionOf(*r)); err != nil {
			return err
		}
		return edit(r)
	})
}

// EditCallbackRule implements [api.Control].
func (w *watched) EditCallbackRule(
	ctx context.Context, domain, app string, edit func(*stillcast.CallbackRule) error,
) (before, after stillcast.CallbackRule, err error) {
	return w.Control.EditCallbackRule(ctx, domain, app, func(r *stillcast.CallbackRule) error {
		if err := w.look(versionOf(*r)); err != nil {
			return err
		}
		return edit(r)
	})
}

// DeleteSnapshotRule implements [api.Control].
func (w *watched) DeleteSnapshotRule(ctx context.Context, domain, app, stream string) (stillcast.SnapshotRule, error) {
	for _, r := range w.Resources().SnapshotRules() {
		if r.Domain == domain && r.App == app && r.Stream == stream {
			if err := w.look(versionOf(r)); err != nil {
				return stillcast.SnapshotRule{}, err
			}
		}
	}
	return w.Control.DeleteSnapshotRule(ctx, domain, app, stream)
}

// DeleteCallbackRule implements [api.Control].
func (w *watched) DeleteCallbackRule(ctx context.Context, domain, app string) (stillcast.CallbackRule, error) {
	for _, r := range w.Resources().CallbackRules() {
		if r.Domain == domain && r.App == app {
			if err := w.look(versionOf(r)); err != nil {
				return stillcast.CallbackRule{}, err
			}
		}
	}
	return w.Control.DeleteCallbackRule(ctx, domain, app)
}

// try returns the resources as calls would leave them.
func (v *view) try(calls []api.Call, version string) (*stillcast.Resources, error) {
	on := newStage(v.opts.Rules.Resources(), v.opts.Rules.CheckMirror)
	to := v.watch(on, version)
	for _, call := range calls {
		if err := call.Run(v.r.Context(), to, func(string, any, any) {}); err != nil {
			return nil, err
		}
	}
	return on.Resources(), nil
}

// do makes calls for good.
func (v *view) do(calls []api.Call, version string) error {
	to := v.watch(v.opts.Rules, version)
	// Once a change began it is made whole: who asked may be gone by now.
	ctx := context.WithoutCancel(v.r.Context())
	for _, call := range calls {
		if err := call.Run(ctx, to, v.auditChange); err != nil {
			return err
		}
	}
	return nil
}

func (v *view) auditChange(action string, before, after any) {
	v.audit(action, slog.Any("before", before), slog.Any("after", after))
}

// opened is a form of one kind for one resource, or for a new one.
type opened struct {
	kind  kind
	key   url.Values   // that names the resource
	query template.URL // the same, "" of a new one
	was   resource
	isNew bool
}

// open finds what a request is about. A new resource is one that the query does not
// name.
func (v *view) open() (opened, error) {
	r := v.opts.Rules.Resources()
	k, ok := kindOf(v.r.PathValue("kind"), r)
	if !ok {
		return opened{}, refusedf(http.StatusNotFound, "error.nothing")
	}
	o := opened{kind: k, key: v.r.URL.Query()}
	for _, name := range []string{"done", "template", "for"} {
		o.key.Del(name) // these do not name it
	}
	if len(o.key) == 0 {
		o.isNew = true
		return o, nil
	}
	o.query = ruleKey(o.key).query()
	if o.was, ok = k.find(r, o.key); !ok {
		return o, refusedf(http.StatusNotFound, "rules.gone")
	}
	return o, nil
}

// data is the form with some values.
func (v *view) data(o opened, want values) formData {
	d := formData{
		Kind: o.kind.name, Title: v.words.texts["rules.kind."+o.kind.name], Name: o.was.name, New: o.isNew, Query: o.query,
		ReadOnly: v.session.Role != RoleAdmin,
	}
	if !d.ReadOnly {
		d.Version = v.version(o.was.version)
	}
	d.Fields, d.Folded = v.fill(o.kind, o.query, o.was.values, want, o.isNew)
	if d.ReadOnly {
		hideQueries(d.Fields)
		hideQueries(d.Folded)
	}
	return d
}

// openRule shows the form of a resource, or of a new one.
func (v *view) openRule() error {
	o, err := v.open()
	switch {
	case err != nil:
		return err
	case o.isNew && v.session.Role != RoleAdmin:
		return refusedf(http.StatusForbidden, "entry.forbidden")
	case o.isNew:
		o.was.values = values{}
		return v.page(o.kind.page, v.data(o, v.preset(o.kind)))
	}
	return v.page(o.kind.page, v.data(o, o.was.values))
}

// preset are the values that the form of a new resource has at first.
func (v *view) preset(k kind) values {
	all := values{"Enable": "1"}
	for _, f := range k.fields {
		if f.Control == controlChoice && len(f.choices) == 1 {
			all[f.Name] = f.choices[0].Value
		}
	}
	if id := v.r.URL.Query().Get("template"); id != "" {
		all["TemplateId"] = id
	}
	if name := v.r.URL.Query().Get("for"); name != "" {
		all["DomainName"] = name
	}
	return all
}

// saveRule saves what a form holds. Where that would touch live streams it shows
// them first, and saves when it is sent the same once more.
func (v *view) saveRule() error {
	o, err := v.open()
	if err != nil {
		return err
	}
	want := sent(v.r.PostForm, o.kind.fields)
	calls := o.calls(want)
	version, seen := v.r.PostForm.Get("version"), v.fingerprint(want)
	after, err := v.try(calls, version)
	if err != nil {
		return v.showFault(o, want, err)
	}
	all := v.touches(o.kind, v.opts.Rules.Resources(), after)
	if v.r.PostForm.Get("step") != "save" || len(all) > 0 && v.r.PostForm.Get("seen") != seen {
		d := v.data(o, want)
		d.Version, d.Seen = version, seen
		d.touch(all)
		return v.page(o.kind.page, d)
	}
	if err := v.do(calls, version); err != nil {
		return v.showFault(o, want, err)
	}
	return v.redirectDone(Path+"rules", "done.rules")
}

// calls are those of the API that make of a resource what a form holds.
func (o opened) calls(want values) []api.Call {
	if o.isNew {
		return o.kind.make(want)
	}
	return o.kind.change(o.key, o.was.values, want)
}

// showFault shows a form once more, with all that was typed and with what is wrong.
func (v *view) showFault(o opened, want values, err error) error {
	if errors.Is(err, errChanged) {
		return v.showChanged(o, want)
	}
	e, ok := asFault(err)
	if !ok {
		return err
	}
	d := v.data(o, want)
	d.Version = v.r.PostForm.Get("version")
	d.blame(e)
	status, _ := v.explain(v, e)
	return v.pageWith(status, o.kind.page, d)
}

// showChanged shows a form once more that somebody else was faster than: with what
// there is now beside what was typed. It can be saved over that.
func (v *view) showChanged(o opened, want values) error {
	d := v.data(o, want)
	text, err := v.words.text("rules.changed")
	if err != nil {
		return err
	}
	d.Fault = text
	for _, list := range [][]shownField{d.Fields, d.Folded} {
		for i, f := range list {
			now := o.was.values[f.Name]
			if f.Control == controlSecret || now == want[f.Name] {
				continue
			}
			if list[i].Stored, err = v.words.text("rules.stored", v.wordsOf(f.field, now)); err != nil {
				return err
			}
		}
	}
	return v.pageWith(http.StatusConflict, o.kind.page, d)
}

// wordsOf writes the value of a field for people.
func (v *view) wordsOf(f field, value string) string {
	for _, c := range v.choicesOf(f) {
		if f.Control == controlChoice && c.Value == value {
			return c.Label
		}
	}
	switch {
	case f.Control == controlCheck && value == "":
		return v.words.texts["rules.no"]
	case f.Control == controlCheck:
		return v.words.texts["rules.yes"]
	case value == "":
		return "–"
	}
	return value
}

// askToDelete shows what would be deleted, and what that would touch.
func (v *view) askToDelete() error {
	o, err := v.open()
	if err == nil && o.isNew {
		err = refusedf(http.StatusNotFound, "error.nothing")
	}
	if err != nil {
		return err
	}
	return v.showDelete(http.StatusOK, o, "")
}

func (v *view) showDelete(status int, o opened, fault string) error {
	d := v.data(o, o.was.values)
	d.Deleting, d.Fault = true, fault
	after, err := v.try([]api.Call{o.kind.remove(o.key)}, d.Version)
	if e, ok := asFault(err); ok && fault == "" {
		d.Fault = e.Message // what it is used by, said before it is tried
	}
	if err == nil {
		d.touch(v.touches(o.kind, v.opts.Rules.Resources(), after))
	}
	return v.pageWith(status, o.kind.page, d)
}

// deleteRule deletes what the page before has shown.
func (v *view) deleteRule() error {
	o, err := v.open()
	if err == nil && o.isNew {
		err = refusedf(http.StatusNotFound, "error.nothing")
	}
	if err != nil {
		return err
	}
	if v.r.PostForm.Get("version") != v.version(o.was.version) {
		text, err := v.words.text("rules.changed_delete")
		if err != nil {
			return err
		}
		return v.showDelete(http.StatusConflict, o, text)
	}
	if err := v.do([]api.Call{o.kind.remove(o.key)}, v.r.PostForm.Get("version")); err != nil {
		e, ok := errors.AsType[*stillcast.Error](err)
		if !ok {
			return err
		}
		status, _ := v.explain(v, e)
		return v.showDelete(status, o, e.Message)
	}
	return v.redirectDone(Path+"rules", "done.rules_deleted")
}

// asFault returns the error of who asked, if it is one.
func asFault(err error) (*stillcast.Error, bool) { return errors.AsType[*stillcast.Error](err) }
