package console

import (
	"crypto/sha256"
	"encoding/hex"
	"html/template"
	"net/url"
	"slices"
	"strconv"
	"strings"

	"github.com/stillcast/stillcast"
	"github.com/stillcast/stillcast/internal/api"
)

// control is how a field of a form is filled in.
type control string

const (
	controlText   control = "text"
	controlNumber control = "number" // whole, "" stands for 0
	controlList   control = "list"   // texts with commas or spaces between them
	controlCheck  control = "check"  // "1" or ""
	controlChoice control = "choice"
	controlSecret control = "secret" // empty leaves it as it is
)

// field is one field of a form. What it is called, and what it may hold, is that of
// the parameter of the API's action that sets it.
type field struct {
	Name    string // of the parameter
	Control control
	choices []choice
	secret  func() string // makes a new one; nil where none is made
	fixed   bool          // it is only asked for when the resource is made
	fold    bool          // it is shown among those that have no effect
	group   string        // those of one group stand together, under the words "rules.g."+group
	text    bool          // of people for people: it changes no picture and no event
	omit    bool          // an empty one is not given when the resource is made
	always  bool          // the API asks for it in every change
}

// choice is what a field of [controlChoice] may be.
type choice struct {
	Value, Label string
}

// shownField is a field as a form shows it.
type shownField struct {
	field

	Kind     string       // of the resource, for the buttons of secrets
	Query    template.URL // that names the resource, "" of a new one
	Label    string
	Hint     string
	Value    string
	Choices  []choice
	Fault    string // in the words of the API
	Stored   string // what there is now, where somebody changed it meanwhile
	Set      bool   // there is a secret
	Clear    bool   // which shall be removed
	Fixed    bool   // it cannot be changed
	Fresh    bool   // the secret was made just now: it is shown
	CanMake  bool   // there is a button that makes a secret
	ReadOnly bool
}

// ID is that of the input.
func (f shownField) ID() string { return "f-" + f.Name }

// Described is what aria-describedby says.
func (f shownField) Described() string {
	var ids []string
	for _, part := range []struct{ name, text string }{{"hint", f.Hint}, {"stored", f.Stored}, {"fault", f.Fault}} {
		if part.text != "" {
			ids = append(ids, f.ID()+"-"+part.name)
		}
	}
	return strings.Join(ids, " ")
}

// formData is what the page of one resource shows.
type formData struct {
	Kind   string // as in the path
	Title  string
	Name   string // of the resource, "" of a new one
	New    bool
	Query  template.URL // that names the resource
	Fields []shownField
	Folded []shownField

	Version  string    // of the resource that the form was filled from
	Seen     string    // of the values for which Touched was shown
	Fault    string    // of no field
	Note     string    // what else there is to say
	Touched  []touched // what saving would change of live streams, nil where it was not asked for
	Asked    bool      // it was
	Live     int       // live streams that would be touched, of which Touched has the first
	Deleting bool
	ReadOnly bool
}

// values are those of a form, by the names of its fields.
type values map[string]string

// clearOf is the name of the box that removes a secret.
func clearOf(name string) string { return "clear." + name }

// sent reads the values of a form. Names and URLs have no spaces at their ends,
// where people paste them.
func sent(form url.Values, fields []field) values {
	all := values{}
	for _, f := range fields {
		value := form.Get(f.Name)
		if f.Control != controlText {
			value = strings.TrimSpace(value)
		}
		if f.Control == controlList {
			value = strings.Join(listOf(value), ", ")
		}
		all[f.Name] = value
		if f.Control == controlSecret && form.Get(clearOf(f.Name)) != "" {
			all[clearOf(f.Name)] = "1"
		}
	}
	return all
}

func listOf(text string) []string {
	return strings.FieldsFunc(text, func(r rune) bool { return r == ',' || r == ' ' || r == '，' })
}

// params are those of an action that makes, or changes, a resource: what differs
// from what there is. Secrets that are empty stay as they are.
func params(fields []field, was, want values, create bool) map[string]any {
	given := map[string]any{}
	for _, f := range fields {
		value := want[f.Name]
		switch {
		case f.Control == controlSecret:
			if want[clearOf(f.Name)] != "" && value == "" {
				given[f.Name] = ""
			} else if value != "" {
				given[f.Name] = value
			}
			continue
		case f.fixed && !create, !create && value == was[f.Name] && !f.always, create && f.omit && value == "":
			continue
		}
		given[f.Name] = paramOf(f.Control, value)
	}
	return given
}

func paramOf(c control, value string) any {
	switch c {
	case controlNumber, controlCheck:
		if value == "" {
			return 0
		}
		return value // the API says what is wrong with what is no number
	case controlList:
		return append([]string{}, listOf(value)...)
	}
	return value
}

// fingerprint is of values that a form was sent with, for the session that sent it.
func (v *view) fingerprint(want values) string {
	names := make([]string, 0, len(want))
	for name := range want {
		names = append(names, name)
	}
	slices.Sort(names)
	sum := sha256.New()
	for _, name := range names {
		sum.Write([]byte(strconv.Itoa(len(want[name])) + name + "=" + want[name]))
	}
	return hex.EncodeToString(mac(v.token, "values "+hex.EncodeToString(sum.Sum(nil))))
}

// version is of a resource as it is, "" for none. Resources hold secrets, so it is
// good for nothing but the session that is shown it.
func (v *view) version(resource string) string {
	if resource == "" {
		return ""
	}
	return hex.EncodeToString(mac(v.token, "version "+resource))
}

// fill makes the fields of a form. Want is what they hold; was is what there is.
func (v *view) fill(k kind, query template.URL, was, want values, create bool) (plain, folded []shownField) {
	for _, f := range k.fields {
		s := shownField{
			field: f, Kind: k.name, Query: query, Label: v.labelOf(f), Hint: v.hintOf(k, f), Value: want[f.Name],
			Choices: v.choicesOf(f), Fixed: f.fixed && !create, ReadOnly: v.session.Role != RoleAdmin,
		}
		if f.Control == controlSecret {
			s.Set, s.Clear, s.CanMake = was[f.Name] != "", want[clearOf(f.Name)] != "", f.secret != nil
			if !create && was[f.Name] == want[f.Name] {
				s.Value = "" // what there is does not go into the page
			}
		}
		if f.fold {
			folded = append(folded, s)
		} else {
			plain = append(plain, s)
		}
	}
	return plain, folded
}

func (v *view) labelOf(f field) string {
	if label, ok := v.words.texts["rules.f."+f.Name]; ok {
		return label
	}
	return f.Name
}

// choicesOf names the choices that have no label by the words for them.
func (v *view) choicesOf(f field) []choice {
	all := slices.Clone(f.choices)
	for i, c := range all {
		if c.Label == "" {
			all[i].Label = v.words.texts["rules.c."+c.Value]
		}
		if c.Value == "" && c.Label == "" {
			all[i].Label = v.words.texts["rules.c.default"]
		}
	}
	return all
}

// hintOf says what a field may hold: by its own words, and by the limits that the
// API has.
func (v *view) hintOf(k kind, f field) string {
	var hints []string
	if hint, ok := v.words.texts["rules.h."+f.Name]; ok {
		hints = append(hints, hint)
	}
	p, ok := k.param(f.Name)
	if ok && f.Control == controlNumber && p.Max > 0 {
		if text, err := v.words.text("rules.range", p.Min, p.Max); err == nil {
			hints = append(hints, text)
		}
	}
	return strings.Join(hints, " · ")
}

// param returns the parameter of the API that a field sets.
func (k kind) param(name string) (api.Param, bool) {
	for _, a := range api.Actions() {
		if !slices.Contains(k.actions, a.Name) {
			continue
		}
		for _, p := range a.Params {
			if p.Name == name {
				return p, true
			}
		}
	}
	return api.Param{}, false
}

// blame puts an error of the API at the field at fault, or where it is at none at
// the head of the form.
func (d *formData) blame(e *stillcast.Error) {
	name, _, _ := strings.Cut(e.Field, "[")
	name, _, _ = strings.Cut(name, ".")
	said := e.Message
	if within, ok := strings.CutPrefix(name, newPart); ok { // what a rule is to be for
		name, said = within, strings.TrimPrefix(said, newPart)
	}
	for _, list := range [][]shownField{d.Fields, d.Folded} {
		for i := range list {
			if list[i].Name == name && !list[i].Fixed {
				list[i].Fault = said
				return
			}
		}
	}
	d.Fault = said
}

// fieldGroup are the fields that stand together in a form.
type fieldGroup struct {
	Name   string
	Fields []shownField
}

// Groups are the fields that are not folded.
func (d formData) Groups() (all []fieldGroup) {
	for _, f := range d.Fields {
		if len(all) == 0 || all[len(all)-1].Name != f.group {
			all = append(all, fieldGroup{Name: f.group})
		}
		last := &all[len(all)-1]
		last.Fields = append(last.Fields, f)
	}
	return all
}

// FoldedFault tells whether a folded field is at fault, so that they are shown.
func (d formData) FoldedFault() bool {
	return slices.ContainsFunc(d.Folded, func(f shownField) bool { return f.Fault != "" || f.Stored != "" })
}
