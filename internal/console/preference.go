package console

import "slices"

// preference is what viewers choose of how the console looks to them. It is kept
// in a cookie, as it is the browser's, not the account's.
type preference struct {
	field, cookie string
	values        []string // the first one is that of who chose nothing
}

func preferences() []preference {
	return []preference{
		{"theme", themeCookie, []string{"system", "light", "dark"}},
		{"language", languageCookie, []string{"en", "zh-CN"}},
		{"keys", keysCookie, []string{"on", "off"}},
	}
}

func (p preference) allows(value string) bool { return slices.Contains(p.values, value) }

// preferred returns what the viewer chose.
func (v *view) preferred(field string) string {
	for _, p := range preferences() {
		if p.field != field {
			continue
		}
		if value := v.cookie(p.cookie); p.allows(value) {
			return value
		}
		return p.values[0]
	}
	return ""
}
