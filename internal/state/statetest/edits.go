package statetest

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stillcast/stillcast"
)

const editedDomain = "push.example.com"

// keptCallbacks uses every field.
func keptCallbacks() stillcast.KeptCallbacks {
	return stillcast.KeptCallbacks{
		RecordURL: "https://example.com/1", RecordStatusURL: "https://example.com/2", CensorshipURL: "https://example.com/3",
		StreamMixURL: "https://example.com/4", AudioAuditURL: "https://example.com/6",
		RecordExceptionURL: "https://example.com/7", RecordExceptionLevels: "error,info",
	}
}

// addDomain makes a domain with a key.
func addDomain(t *testing.T, s Store, name string) stillcast.Domain {
	t.Helper()
	_, after, err := s.EditDomain(t.Context(), name, true, 0, func(d *stillcast.Domain) error {
		d.Auth.Key = "key"
		return nil
	})
	check(t, err)
	return after
}

func (c suite) editDomain(t *testing.T) {
	s := c.open(t)
	every := stillcast.Domain{
		Name: editedDomain, Auth: stillcast.PushAuth{Disabled: true, Key: "k1", BackupKey: "k2", Delta: time.Minute},
		Disabled: true, PlayType: 2, DelayLive: true, MiniProgram: true,
	}
	before, after, err := s.EditDomain(t.Context(), editedDomain, true, 1, func(d *stillcast.Domain) error {
		if d.Name != editedDomain {
			t.Errorf("a new domain is called %q", d.Name)
		}
		*d = every
		return nil
	})
	check(t, err)
	same(t, "the domain before it was made", stillcast.Domain{}, before)
	if after.ID < 1 {
		t.Errorf("the new domain has the id %d, want one from 1 on", after.ID)
	}
	recent(t, "creation", after.Created)
	every.ID, every.Created = after.ID, after.Created
	same(t, "new domain", every, after)
	same(t, "domains", []stillcast.Domain{every}, resources(t, s).Domains)

	before, after, err = s.EditDomain(t.Context(), editedDomain, false, 1, func(d *stillcast.Domain) error {
		d.ID, d.Created = 99, start() // not for edit to change
		d.Disabled, d.PlayType, d.Auth.Key = false, 0, "k3"
		return nil
	})
	check(t, err)
	same(t, "the domain before", every, before)
	every.Disabled, every.PlayType, every.Auth.Key = false, 0, "k3"
	same(t, "the domain after", every, after)
	same(t, "domains", []stillcast.Domain{every}, resources(t, s).Domains)
}

func (c suite) editDomainRefuses(t *testing.T) {
	s := c.open(t)
	addDomain(t, s, editedDomain)
	before := resources(t, s)
	errEdit := errors.New("changed my mind")
	for _, test := range []struct {
		name   string
		create bool
		limit  int
		edit   func(*stillcast.Domain) error
		code   stillcast.Code
		field  string
	}{
		{editedDomain, true, 0, nil, stillcast.CodeConflict, "name"},
		{"other.example.com", false, 0, nil, stillcast.CodeNotFound, "name"},
		{"other.example.com", true, 1, nil, stillcast.CodeLimit, ""},
		{"UPPER", true, 0, nil, stillcast.CodeInvalid, "name"},
		{editedDomain, false, 0, func(d *stillcast.Domain) error { d.Auth.Key = ""; return nil }, stillcast.CodeInvalid, "auth.key"},
		{editedDomain, false, 0, func(d *stillcast.Domain) error { d.PlayType = 4; return nil }, stillcast.CodeInvalid, "play_type"},
		{editedDomain, false, 0, func(d *stillcast.Domain) error { d.Name = "b.example.com"; return nil }, stillcast.CodeInvalid, "name"},
		{editedDomain, false, 0, func(d *stillcast.Domain) error { d.Disabled = true; return errEdit }, "", ""},
	} {
		a, b, err := s.EditDomain(t.Context(), test.name, test.create, test.limit, func(d *stillcast.Domain) error {
			if test.edit == nil {
				d.Auth.Key = "key"
				return nil
			}
			return test.edit(d)
		})
		if test.code != "" {
			refused(t, err, test.code, test.field)
		} else if !errors.Is(err, errEdit) {
			t.Errorf("an edit that failed gave %v, want its error", err)
		}
		same(t, "domains of an edit that was refused", [2]stillcast.Domain{}, [2]stillcast.Domain{a, b})
	}
	same(t, "resources", before, resources(t, s))
}

func (c suite) deleteDomain(t *testing.T) {
	s := c.open(t)
	d := addDomain(t, s, editedDomain)
	_, err := s.DeleteDomain(t.Context(), "other.example.com")
	refused(t, err, stillcast.CodeNotFound, "name")

	template := addSnapshotTemplate(t, s, "a")
	_, err = s.AddSnapshotRule(t.Context(), stillcast.SnapshotRule{Domain: editedDomain, TemplateID: template})
	check(t, err)
	_, err = s.DeleteDomain(t.Context(), editedDomain)
	refused(t, err, stillcast.CodeConflict, "name")
	_, err = s.DeleteSnapshotRule(t.Context(), editedDomain, "", "")
	check(t, err)

	hooks := addCallbackTemplate(t, s, "a")
	_, err = s.AddCallbackRule(t.Context(), stillcast.CallbackRule{Domain: editedDomain, TemplateID: hooks})
	check(t, err)
	_, err = s.DeleteDomain(t.Context(), editedDomain)
	refused(t, err, stillcast.CodeConflict, "name")
	_, err = s.DeleteCallbackRule(t.Context(), editedDomain, "")
	check(t, err)

	deleted, err := s.DeleteDomain(t.Context(), editedDomain)
	check(t, err)
	same(t, "deleted domain", d, deleted)
	if left := resources(t, s).Domains; len(left) != 0 {
		t.Errorf("left are the domains %v", left)
	}
	if again := addDomain(t, s, editedDomain); again.ID <= d.ID {
		t.Errorf("a new domain has the id %d, which was used already", again.ID)
	}
}

func addSnapshotTemplate(t *testing.T, s Store, name string) int64 {
	t.Helper()
	_, after, err := s.EditSnapshotTemplate(t.Context(), 0, 0, func(t *stillcast.SnapshotTemplate) error {
		t.Name = name
		return nil
	})
	check(t, err)
	return after.ID
}

func addCallbackTemplate(t *testing.T, s Store, name string) int64 {
	t.Helper()
	_, after, err := s.EditCallbackTemplate(t.Context(), 0, 0, func(t *stillcast.CallbackTemplate) error {
		t.Name, t.SnapshotURL = name, "https://example.com/"
		return nil
	})
	check(t, err)
	return after.ID
}

// templateKind is what the tests need to know of one kind of templates.
type templateKind[T comparable] struct {
	store  Store
	every  T // with every field set
	edit   func(ctx context.Context, id int64, limit int, edit func(*T) error) (before, after T, err error)
	del    func(ctx context.Context, id int64) (T, error)
	list   func(stillcast.ResourceSet) []T
	fields func(v *T) (id *int64, name, description *string)
	use    func(id int64) error // by a rule
	unuse  func() error
}

func (c suite) snapshotTemplates(t *testing.T) {
	s := c.open(t)
	addDomain(t, s, editedDomain)
	every := declaration().SnapshotTemplates[0]
	every.PornFlag = true
	testTemplates(t, templateKind[stillcast.SnapshotTemplate]{
		store: s, every: every, edit: s.EditSnapshotTemplate, del: s.DeleteSnapshotTemplate,
		list: func(set stillcast.ResourceSet) []stillcast.SnapshotTemplate { return set.SnapshotTemplates },
		fields: func(v *stillcast.SnapshotTemplate) (id *int64, name, description *string) {
			return &v.ID, &v.Name, &v.Description
		},
		use: func(id int64) error {
			_, err := s.AddSnapshotRule(t.Context(), stillcast.SnapshotRule{Domain: editedDomain, TemplateID: id})
			return err
		},
		unuse: func() error {
			_, err := s.DeleteSnapshotRule(t.Context(), editedDomain, "", "")
			return err
		},
	})
}

func (c suite) callbackTemplates(t *testing.T) {
	s := c.open(t)
	addDomain(t, s, editedDomain)
	every := declaration().CallbackTemplates[0]
	every.Kept = keptCallbacks()
	testTemplates(t, templateKind[stillcast.CallbackTemplate]{
		store: s, every: every, edit: s.EditCallbackTemplate, del: s.DeleteCallbackTemplate,
		list: func(set stillcast.ResourceSet) []stillcast.CallbackTemplate { return set.CallbackTemplates },
		fields: func(v *stillcast.CallbackTemplate) (id *int64, name, description *string) {
			return &v.ID, &v.Name, &v.Description
		},
		use: func(id int64) error {
			_, err := s.AddCallbackRule(t.Context(), stillcast.CallbackRule{Domain: editedDomain, TemplateID: id})
			return err
		},
		unuse: func() error {
			_, err := s.DeleteCallbackRule(t.Context(), editedDomain, "")
			return err
		},
	})
}

func testTemplates[T comparable](t *testing.T, k templateKind[T]) {
	t.Helper()
	var zero T
	set := func(v T) func(*T) error { return func(to *T) error { *to = v; return nil } }
	first, second := k.every, k.every
	id, _, _ := k.fields(&first)
	secondID, name, _ := k.fields(&second)
	*name = "second"

	before, after, err := k.edit(t.Context(), 0, 2, set(first))
	check(t, err)
	same(t, "the template before it was made", zero, before)
	newID, _, _ := k.fields(&after)
	if *id = *newID; *id < 1 {
		t.Errorf("the new template has the id %d, want one from 1 on", *id)
	}
	same(t, "new template", first, after)
	_, after, err = k.edit(t.Context(), 0, 2, set(second))
	check(t, err)
	newID, _, _ = k.fields(&after)
	*secondID = *newID
	same(t, "templates", []T{first, second}, k.list(resources(t, k.store)))

	testRefusedTemplates(t, k, *id, *secondID)
	same(t, "templates after what was refused", []T{first, second}, k.list(resources(t, k.store)))

	was := first
	before, after, err = k.edit(t.Context(), *id, 2, func(v *T) error {
		same(t, "the template that is edited", first, *v)
		toID, toName, toDescription := k.fields(v)
		*toID, *toName, *toDescription = 99, "renamed", "" // the id is not for edit to change
		return nil
	})
	check(t, err)
	_, name, description := k.fields(&first)
	*name, *description = "renamed", ""
	same(t, "the template before", was, before)
	same(t, "the template after", first, after)
	same(t, "templates", []T{first, second}, k.list(resources(t, k.store)))

	check(t, k.use(*secondID))
	_, err = k.del(t.Context(), *secondID)
	refused(t, err, stillcast.CodeConflict, "id")
	check(t, k.unuse())
	deleted, err := k.del(t.Context(), *secondID)
	check(t, err)
	same(t, "deleted template", second, deleted)
	same(t, "templates", []T{first}, k.list(resources(t, k.store)))
	_, after, err = k.edit(t.Context(), 0, 2, set(second))
	check(t, err)
	if newID, _, _ := k.fields(&after); *newID <= *secondID {
		t.Errorf("a new template has the id %d, which was used already", *newID)
	}
}

// testRefusedTemplates expects two templates of which the second is called
// "second", the limit.
func testRefusedTemplates[T comparable](t *testing.T, k templateKind[T], id, secondID int64) {
	t.Helper()
	named := func(name string) func(*T) error {
		return func(v *T) error { _, to, _ := k.fields(v); *to = name; return nil }
	}
	fresh := func(v *T) error {
		*v = k.every
		return named("third")(v)
	}
	errEdit := errors.New("changed my mind")
	for _, test := range []struct {
		id    int64
		edit  func(*T) error
		code  stillcast.Code
		field string
	}{
		{0, fresh, stillcast.CodeLimit, ""},
		{secondID + 1, fresh, stillcast.CodeNotFound, "id"},
		{-1, fresh, stillcast.CodeNotFound, "id"},
		{id, named("second"), stillcast.CodeConflict, "name"},
		{id, named(""), stillcast.CodeInvalid, "name"},
		{id, named(strings.Repeat("x", stillcast.MaxTemplateName+1)), stillcast.CodeInvalid, "name"},
		{id, func(v *T) error { *v = k.every; return errEdit }, "", ""},
	} {
		a, b, err := k.edit(t.Context(), test.id, 2, test.edit)
		if test.code != "" {
			refused(t, err, test.code, test.field)
		} else if !errors.Is(err, errEdit) {
			t.Errorf("an edit that failed gave %v, want its error", err)
		}
		var zero T
		same(t, "templates of an edit that was refused", [2]T{zero, zero}, [2]T{a, b})
	}
	_, err := k.del(t.Context(), secondID+1)
	refused(t, err, stillcast.CodeNotFound, "id")
}

// concurrentEdits: edits of one template follow each other, and of many who want
// the last place, or the same name, one gets it.
func (c suite) concurrentEdits(t *testing.T) {
	s := c.open(t)
	id := addSnapshotTemplate(t, s, "a")
	const callers = 24
	var mu sync.Mutex
	codes := map[stillcast.Code]int{}
	var group sync.WaitGroup
	for i := range callers {
		group.Go(func() {
			_, _, err := s.EditSnapshotTemplate(t.Context(), id, 0, func(t *stillcast.SnapshotTemplate) error {
				t.Width++
				return nil
			})
			if err != nil {
				t.Error(err)
			}
			_, _, err = s.EditSnapshotTemplate(t.Context(), 0, 2, func(t *stillcast.SnapshotTemplate) error {
				t.Name = fmt.Sprint("new ", i)
				return nil
			})
			_, _, same := s.EditDomain(t.Context(), editedDomain, true, 0, func(d *stillcast.Domain) error {
				d.Auth.Disabled = true
				return nil
			})
			mu.Lock()
			defer mu.Unlock()
			codes[stillcast.CodeOf(err)]++
			codes[stillcast.CodeOf(same)]++
		})
	}
	group.Wait()
	same(t, "ends of the edits", map[stillcast.Code]int{"": 2, stillcast.CodeLimit: callers - 1, stillcast.CodeConflict: callers - 1}, codes)
	if width := resources(t, s).SnapshotTemplates[0].Width; width != callers {
		t.Errorf("after %d edits that add 1 it is %d", callers, width)
	}
}
