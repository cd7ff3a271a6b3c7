package console

import (
	"bytes"
	"log/slog"
	"net/http"
	"slices"
)

// secretData is the answer to who wants to see a secret.
type secretData struct {
	ID    string // of the field
	Label string
	Value string
}

// revealSecret shows a secret of a resource as it is. It is a change in so far as it
// is in the audit log.
func (v *view) revealSecret() error {
	o, f, err := v.secretField()
	if err != nil {
		return err
	}
	v.audit("show secret", slog.String("kind", o.kind.name), slog.String("name", o.was.name), slog.String("field", f.Name))
	return v.fragment("rule-secret", secretData{ID: "f-" + f.Name, Label: v.labelOf(f), Value: o.was.values[f.Name]})
}

// secretField finds the field whose secret is wanted.
func (v *view) secretField() (opened, field, error) {
	o, err := v.open()
	if err != nil {
		return o, field{}, err
	}
	i := slices.IndexFunc(o.kind.fields, func(f field) bool {
		return f.Control == controlSecret && f.Name == v.r.PostFormValue("field")
	})
	if i < 0 {
		return o, field{}, refusedf(http.StatusNotFound, "error.nothing")
	}
	return o, o.kind.fields[i], nil
}

// generateSecret puts a new secret into the form. It is saved with the rest of it.
func (v *view) generateSecret() error {
	o, f, err := v.secretField()
	if err != nil {
		return err
	}
	if f.secret == nil {
		return refusedf(http.StatusNotFound, "error.nothing")
	}
	all, _ := v.fill(o.kind, o.query, o.was.values, values{f.Name: f.secret()}, o.isNew)
	i := slices.IndexFunc(all, func(s shownField) bool { return s.Name == f.Name })
	all[i].Fresh = true
	return v.fragment("rule-field", all[i])
}

// fragment sends what htmx puts into the page, made by a template that all pages have.
func (v *view) fragment(template string, data any) error {
	var b bytes.Buffer
	if err := v.pages.sets[v.words.tag]["rules"].ExecuteTemplate(&b, template, data); err != nil {
		return err
	}
	v.send(http.StatusOK, b.Bytes())
	return nil
}
