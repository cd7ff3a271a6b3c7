package notify

import (
	"bytes"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
)

// member is a member of a JSON object: its name, and its value as it is written.
// Events are put together of members, since decoding and encoding whole ones
// would cost many times as much.
type member struct {
	name  string
	value []byte
}

// membersOf returns the members of a JSON object in alphabetical order; of
// members with the same name the last one. The values share memory with object.
func membersOf(object []byte) ([]member, error) {
	if !json.Valid(object) {
		var v any
		return nil, json.Unmarshal(object, &v) // says what is wrong
	}
	s := scanner{text: object}
	if s.peek() != '{' {
		return nil, fmt.Errorf("%.20s instead of an object", object)
	}
	s.at++
	members := make([]member, 0, 24)
	for s.more('}') {
		name, err := unquote(s.value())
		if err != nil {
			return nil, err
		}
		s.skip(':')
		members = append(members, member{name: name, value: s.value()})
	}
	if !slices.IsSortedFunc(members, compareNames) {
		slices.SortStableFunc(members, compareNames)
	}
	return last(members), nil
}

// last keeps of members with the same name, which stand together, the last one.
func last(members []member) []member {
	kept := members[:0]
	for i, m := range members {
		if i+1 == len(members) || members[i+1].name != m.name {
			kept = append(kept, m)
		}
	}
	return kept
}

func compareNames(a, b member) int { return strings.Compare(a.name, b.name) }

// elementsOf returns the elements of a JSON array that is known to be valid.
func elementsOf(array []byte) ([][]byte, error) {
	s := scanner{text: array}
	if s.peek() != '[' {
		return nil, fmt.Errorf("%.20s instead of an array", array)
	}
	s.at++
	var elements [][]byte
	for s.more(']') {
		elements = append(elements, s.value())
	}
	return elements, nil
}

// find returns the value of a member; nil when there is none.
func find(members []member, name string) []byte {
	if i, ok := slices.BinarySearchFunc(members, member{name: name}, compareNames); ok {
		return members[i].value
	}
	return nil
}

// set replaces or adds a member; nil as value removes it.
func set(members []member, name string, value []byte) []member {
	i, ok := slices.BinarySearchFunc(members, member{name: name}, compareNames)
	switch {
	case ok && value == nil:
		return slices.Delete(members, i, i+1)
	case ok:
		members[i].value = value
		return members
	case value == nil:
		return members
	}
	return slices.Insert(members, i, member{name, value})
}

// object writes members as a JSON object without blanks.
func object(members []member) []byte {
	size := len("{}")
	for _, m := range members {
		size += len(m.name) + len(m.value) + len(`"":,`)
	}
	b := append(make([]byte, 0, size), '{')
	for i, m := range members {
		if i > 0 {
			b = append(b, ',')
		}
		b = append(appendText(b, m.name), ':')
		b = append(b, m.value...)
	}
	return append(b, '}')
}

// text writes a string as JSON; & < > stand for themselves.
func text(s string) []byte { return appendText(make([]byte, 0, len(s)+2), s) }

func appendText(b []byte, s string) []byte {
	for i := range len(s) {
		if c := s[i]; c < ' ' || c > '~' || c == '"' || c == '\\' {
			quoted, err := marshal(s)
			if err != nil { // strings can always be written
				quoted = []byte(`""`)
			}
			return append(b, quoted...)
		}
	}
	b = append(append(b, '"'), s...)
	return append(b, '"')
}

func unquote(quoted []byte) (string, error) {
	if bytes.IndexByte(quoted, '\\') < 0 && len(quoted) >= 2 {
		return string(quoted[1 : len(quoted)-1]), nil
	}
	var s string
	err := json.Unmarshal(quoted, &s)
	return s, err
}

// scanner reads valid JSON.
type scanner struct {
	text []byte
	at   int
}

func (s *scanner) peek() byte {
	for s.at < len(s.text) {
		switch c := s.text[s.at]; c {
		case ' ', '\t', '\r', '\n':
			s.at++
		default:
			return c
		}
	}
	return 0
}

func (s *scanner) skip(c byte) {
	if s.peek() == c {
		s.at++
	}
}

// more goes to the next member or element and says whether there is one before
// the end of the object or array.
func (s *scanner) more(end byte) bool {
	s.skip(',')
	c := s.peek()
	return c != end && c != 0
}

// value returns the next value as it is written.
func (s *scanner) value() []byte {
	s.peek()
	start, depth := s.at, 0
	for s.at < len(s.text) {
		switch c := s.text[s.at]; c {
		case '"':
			s.quoted()
			if depth == 0 {
				return s.text[start:s.at]
			}
			continue
		case '{', '[':
			depth++
		case '}', ']':
			if depth == 0 {
				return s.text[start:s.at] // of a number or word before it
			}
			if depth--; depth == 0 {
				s.at++
				return s.text[start:s.at]
			}
		case ',', ' ', '\t', '\r', '\n':
			if depth == 0 {
				return s.text[start:s.at]
			}
		}
		s.at++
	}
	return s.text[start:]
}

// quoted goes past a string.
func (s *scanner) quoted() {
	for s.at++; s.at < len(s.text); s.at++ {
		switch s.text[s.at] {
		case '\\':
			s.at++
		case '"':
			s.at++
			return
		}
	}
}
