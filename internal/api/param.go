package api

import (
	"math"
	"slices"
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"
)

// Kind is the type of a parameter.
type Kind int

// The kinds.
const (
	Text    Kind = iota
	Integer      // also as a JSON string of decimal digits, as the published samples have it
	Texts        // list of text: NAME.0, NAME.1, … in a query
)

// String returns the kind as messages and documents name it.
func (k Kind) String() string {
	switch k {
	case Integer:
		return "integer"
	case Texts:
		return "list of strings"
	}
	return "string"
}

// Charset says which characters a text may hold.
type Charset int

// The charsets.
const (
	AnyChars  Charset = iota // all of Unicode but control characters
	NameChars                // Chinese, letters, digits, "_" and "-"
	KeyChars                 // letters and digits
)

// Param is one parameter of an action.
type Param struct {
	Name     string
	Kind     Kind
	Required bool
	Min, Max int64    // of an integer; both 0: no limit but its sign
	Zero     bool     // 0 is allowed beside Min to Max
	Allowed  []string // values, of an integer in decimal; none: by the other limits
	MaxBytes int      // of a text, or of each in a list; 0: maxText
	MaxItems int      // of a list; 0: maxList
	Chars    Charset
	Code     string // of a wrong value; "": the action's
	Note     string // for the documents
	// Fields are Stillcast's own names of the parameter, which its errors have in
	// their place.
	Fields []string
	// MayBeEmpty lets a required text be "", the wildcard.
	MayBeEmpty bool
	// Own is a parameter that Tencent Cloud does not have.
	Own bool
}

// Limits of parameters that have none of their own.
const (
	maxText = 4096 // bytes
	maxList = 100
)

// check reports what of a given value is not allowed.
func (p *Param) check(v value, code string) error {
	if p.Code != "" {
		code = p.Code
	}
	switch p.Kind {
	case Integer:
		return p.checkInteger(v, code)
	case Texts:
		if most := orElse(p.MaxItems, maxList); len(v.list) > most {
			return faultf(code, "%s has %d elements; at most %d are allowed", p.Name, len(v.list), most)
		}
		for i, text := range v.list {
			if err := p.checkText(p.Name+"."+strconv.Itoa(i), text, code); err != nil {
				return err
			}
		}
		return nil
	}
	return p.checkText(p.Name, v.text, code)
}

func (p *Param) checkInteger(v value, code string) error {
	lo, hi := p.Min, p.Max
	if lo == 0 && hi == 0 {
		hi = math.MaxInt64
	}
	if zero := p.Zero && v.number == 0; !zero && (v.number < lo || v.number > hi) {
		if hi == math.MaxInt64 {
			return faultf(code, "%s is %d; allowed are integers from %d", p.Name, v.number, lo)
		}
		also := ""
		if p.Zero {
			also = "0 and "
		}
		return faultf(code, "%s is %d; allowed are %s%d to %d", p.Name, v.number, also, lo, hi)
	}
	return p.checkAllowed(p.Name, strconv.FormatInt(v.number, 10), code)
}

func (p *Param) checkText(name, text, code string) error {
	if most := orElse(p.MaxBytes, maxText); len(text) > most {
		return faultf(code, "%s has %d bytes; at most %d are allowed", name, len(text), most)
	}
	if i := p.wrongChar(text); i >= 0 {
		r, _ := utf8.DecodeRuneInString(text[i:])
		return faultf(code, "%s holds %q; allowed are %s", name, r, p.Chars)
	}
	if p.Required && text == "" && !p.MayBeEmpty {
		return faultf(codeMissing, "%s is empty; it is required", name)
	}
	return p.checkAllowed(name, text, code)
}

func (p *Param) checkAllowed(name, text, code string) error {
	if len(p.Allowed) == 0 || slices.Contains(p.Allowed, text) || text == "" && !p.Required {
		return nil
	}
	return faultf(code, "%s is %q; allowed are %s", name, text, strings.Join(p.Allowed, ", "))
}

func (c Charset) allows(r rune) bool {
	switch c {
	case NameChars:
		return unicode.Is(unicode.Han, r) || isWord(r) || r == '_' || r == '-'
	case KeyChars:
		return isWord(r)
	}
	return !unicode.IsControl(r)
}

func isWord(r rune) bool {
	return r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' || r >= '0' && r <= '9'
}

// String describes the charset for messages.
func (c Charset) String() string {
	switch c {
	case NameChars:
		return `Chinese, letters, digits, "_" and "-"`
	case KeyChars:
		return "letters and digits"
	}
	return "all but control characters"
}

func orElse(n, other int) int {
	if n == 0 {
		return other
	}
	return n
}

// wrongChar returns where the first character stands that is not allowed, or -1.
func (p *Param) wrongChar(text string) int {
	return strings.IndexFunc(text, func(r rune) bool { return !p.Chars.allows(r) })
}
