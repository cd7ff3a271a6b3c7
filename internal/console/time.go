package console

import (
	"html/template"
	"time"
)

// The units of ages, from the largest.
type ageUnit struct {
	size time.Duration
	key  string
}

func ageUnits() []ageUnit {
	return []ageUnit{{24 * time.Hour, "js.ago_days"}, {time.Hour, "js.ago_hours"}, {time.Minute, "js.ago_minutes"}, {time.Second, "js.ago_seconds"}}
}

// clock writes times in the language of a viewer.
type clock struct {
	words *words
	zone  *time.Location
}

// ago writes how long ago a time is, such as "12 s ago", in an element that
// console.js counts on; a dash for the zero time.
func (c clock) ago(t time.Time) (template.HTML, error) {
	if t.IsZero() {
		return "–", nil
	}
	text, err := c.age(time.Since(t))
	return c.element(t, " data-ago", text), err
}

func (c clock) age(d time.Duration) (string, error) {
	for _, u := range ageUnits() {
		// One of a unit is a coarse answer: up to two, the smaller one says it.
		if n := int64(d / u.size); n >= 2 || u.size == time.Second {
			return c.words.text(u.key, max(0, n))
		}
	}
	return "", nil
}

// when writes a time in the configured zone, a dash for the zero time.
func (c clock) when(t time.Time) template.HTML {
	if t.IsZero() {
		return "–"
	}
	return c.element(t, "", t.In(c.zone).Format(time.DateTime))
}

func (c clock) element(t time.Time, attribute, text string) template.HTML {
	exact := t.In(c.zone).Format("2006-01-02 15:04:05.000 -07:00")
	//nolint:gosec // all but the text is written here, and that is escaped
	return template.HTML(`<time datetime="` + t.UTC().Format("2006-01-02T15:04:05.000Z") + `" title="` + exact + `"` + attribute + `>` +
		template.HTMLEscapeString(text) + `</time>`)
}
