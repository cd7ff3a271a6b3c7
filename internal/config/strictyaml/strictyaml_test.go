package strictyaml_test

import (
	"errors"
	"net/netip"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	"go.uber.org/goleak"

	"github.com/stillcast/stillcast"
	"github.com/stillcast/stillcast/internal/config/strictyaml"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

type settings struct {
	Name    string           `yaml:"name"`
	On      bool             `yaml:"on"`
	Count   int8             `yaml:"count"`
	ID      int64            `yaml:"id"`
	Port    uint16           `yaml:"port"`
	Ratio   float64          `yaml:"ratio"`
	Wait    time.Duration    `yaml:"wait"`
	Key     stillcast.Secret `yaml:"key"`
	Nets    []netip.Prefix   `yaml:"nets"`
	Words   []string         `yaml:"words"`
	Items   []item           `yaml:"items"`
	Nested  nested           `yaml:"nested"`
	Shared  shared           `yaml:",inline"`
	Hidden  string           `yaml:"-"`
	NoTag   string
	Pointer *int `yaml:"pointer"`
}

type nested struct {
	Deep string `yaml:"deep"`
}

type shared struct {
	Level string `yaml:"level"`
}

type item struct {
	Name    string `yaml:"name"`
	Enabled bool   `yaml:"enabled"`
}

func (i *item) SetDefaults() { i.Enabled = true }

func TestDecode(t *testing.T) {
	const text = "\ufeff" + `
name: 0123    # no number
on: false
count: -16
id: 1_250_000_000
port: 65535
ratio: 1
wait: 1m30s
key: 1e5
nets: [127.0.0.0/8, "::1/128"]
words:
- true
- "two words"
- |
  many
  lines
items:
  - name: a
  - {enabled: false, name: b}
nested: {deep: "null"}
level: info
`
	got := settings{On: true, Words: []string{"default"}, Pointer: new(int)}
	if _, err := strictyaml.Decode("x.yaml", []byte(text), &got); err != nil {
		t.Fatal(err)
	}
	want := settings{
		Name: "0123", Count: -16, ID: 1250000000, Port: 65535, Ratio: 1, Wait: 90 * time.Second, Key: "1e5",
		Nets:    []netip.Prefix{netip.MustParsePrefix("127.0.0.0/8"), netip.MustParsePrefix("::1/128")},
		Words:   []string{"true", "two words", "many\nlines\n"},
		Items:   []item{{"a", true}, {"b", false}},
		Nested:  nested{"null"},
		Shared:  shared{"info"},
		Pointer: new(int),
	}
	if diff := cmp.Diff(want, got, cmpopts.EquateComparable(netip.Prefix{})); diff != "" {
		t.Errorf("-want +got:\n%s", diff)
	}
}

func TestNothingGivenKeepsDefaults(t *testing.T) {
	for _, text := range []string{"", "# comment\n", "---\n", "%YAML 1.2\n---\n", "~", "nested:\n", "nested: {}\n"} {
		got := settings{Name: "default", Nested: nested{"default"}, Words: []string{"default"}}
		want := got
		if _, err := strictyaml.Decode("x.yaml", []byte(text), &got); err != nil {
			t.Errorf("%q: %v", text, err)
		}
		if diff := cmp.Diff(want, got, cmpopts.EquateComparable(netip.Prefix{})); diff != "" {
			t.Errorf("%q: -want +got:\n%s", text, diff)
		}
	}
}

func TestFaults(t *testing.T) {
	const all = "name, on, count, id, port, ratio, wait, key, nets, words, items, nested, level and pointer"
	tests := []struct{ text, want string }{
		{"nam: x", "x.yaml:1:1: nam: is an unknown key; allowed here are " + all},
		{"nested:\n  dep: x", "x.yaml:2:3: nested.dep: is an unknown key; allowed here are deep"},
		{"Hidden: x\nnotag: x", "x.yaml:1:1: Hidden: is an unknown key; allowed here are " + all + "\n" +
			"x.yaml:2:1: notag: is an unknown key; allowed here are " + all},
		{"items: [{name: a}, {nme: b}]", "x.yaml:1:21: items[1].nme: is an unknown key; allowed here are name and enabled"},
		{"name: a\nname: b", `x.yaml:2:1: is not valid YAML: mapping key "name" already defined at [1:1]`},
		{"name: a\n\"name\": b", `x.yaml:2:1: is not valid YAML: mapping key "name" already defined at [1:1]`},
		{"name: {a: b}", "x.yaml:1:7: name: is a list of settings; expected a text"},
		{"name:", "x.yaml:1:7: name: is empty; expected a text"},
		{"key: [a]", "x.yaml:1:6: key: is a list; expected a text"},
		{"on: yes", `x.yaml:1:5: on: is "yes"; expected true or false`},
		{"on: \"true\"", `x.yaml:1:5: on: is "true"; expected true or false`},
		{"count: 128", `x.yaml:1:8: count: is "128"; expected a whole number, in decimal without leading zeros`},
		{"count: 1.5", `x.yaml:1:8: count: is "1.5"; expected a whole number, in decimal without leading zeros`},
		{"count: \"1\"", `x.yaml:1:8: count: is "1"; expected a whole number, in decimal without leading zeros`},
		{"id: 0123", `x.yaml:1:5: id: is "0123"; expected a whole number, in decimal without leading zeros`},
		{"port: -1", `x.yaml:1:7: port: is "-1"; expected a whole number that is not negative, in decimal without leading zeros`},
		{"ratio: much", `x.yaml:1:8: ratio: is "much"; expected a number`},
		{"wait: 10", `x.yaml:1:7: wait: is "10"; expected a duration with its unit, such as 10s, 2m or 1h30m`},
		{"nets: [10.0.0.0]", `x.yaml:1:8: nets[0]: is "10.0.0.0"; expected a network with the length of its prefix, such as 127.0.0.0/8 or fd00::/8`},
		{"words: a", "x.yaml:1:8: words: is a single value; expected a list, [a, b] or lines that begin with -"},
		{"words:\n- a\n-\n", "x.yaml:3:3: words[1]: is empty"},
		{"nested: x", "x.yaml:1:9: nested: is a single value; expected settings as key: value"},
		{"nested: [x]", "x.yaml:1:9: nested: is a list; expected settings as key: value"},
		{"- a", "x.yaml:1:1: is a list; expected settings as key: value"},
		{"name: &n x", "x.yaml:1:7: name: anchors and aliases (& and *) are not supported; put texts that begin so in quotes"},
		{"key: !!str x", "x.yaml:1:6: key: tags (!) are not supported; put texts that begin so in quotes"},
		{"<<: {name: x}", "x.yaml:1:1: has a key that is no plain word"},
		{"nested:\n  ? deep\n  : x", "x.yaml:2:3: nested: has a key that is no plain word"},
		{"1: x", "x.yaml:1:1: 1: is an unknown key; allowed here are " + all},
		{"pointer: 1", "x.yaml:1:10: pointer: has a type that settings cannot have: *int"},
		{"name: a\n---\nname: b", "x.yaml:3:5: a second document begins here; only one is allowed"},
		{"name: [a", "x.yaml:1:7: is not valid YAML: sequence end token ']' not found"},
		{"name: 'a", "x.yaml:1:7: is not valid YAML: could not find end character of single-quoted text"},
		{"\n" + strings.Repeat("[", 501), "x.yaml:2: more than 500 brackets are open"},
		{strings.Repeat("#", strictyaml.MaxSize+1), "x.yaml: is 1048577 bytes long; at most 1048576 are allowed"},
		{"on: maybe\ncount: many", `x.yaml:1:5: on: is "maybe"; expected true or false` + "\n" +
			`x.yaml:2:8: count: is "many"; expected a whole number, in decimal without leading zeros`},
	}
	for _, tt := range tests {
		_, err := strictyaml.Decode("x.yaml", []byte(tt.text), &settings{})
		if err == nil {
			t.Errorf("%.60q: no error, want %s", tt.text, tt.want)
			continue
		}
		if diff := cmp.Diff(tt.want, err.Error()); diff != "" {
			t.Errorf("%.60q: -want +got:\n%s", tt.text, diff)
		}
	}
}

func TestLocate(t *testing.T) {
	const text = `
name: x
items:
  - name: a
    enabled: true
  -
    enabled: true
nested:
  deep: x
`
	doc, err := strictyaml.Decode("x.yaml", []byte(text), &settings{})
	if err != nil {
		t.Fatal(err)
	}
	tests := []struct{ field, want string }{
		{"name", "x.yaml:2: name: is bad"},
		{"items[0].enabled", "x.yaml:5: items[0].enabled: is bad"},
		{"items[1].enabled", "x.yaml:7: items[1].enabled: is bad"},
		{"items[1].name", "x.yaml:7: items[1].name: is bad"},
		{"items[7].name", "x.yaml:3: items[7].name: is bad"},
		{"nested.deep.er", "x.yaml:9: nested.deep.er: is bad"},
		{"count", "x.yaml: count: is bad"},
		{"", "x.yaml: is bad"},
	}
	for _, tt := range tests {
		err := doc.Locate(stillcast.Errorf(stillcast.CodeInvalid, tt.field, "is bad"))
		if err.Error() != tt.want {
			t.Errorf("%s: got %q, want %q", tt.field, err, tt.want)
		}
		if stillcast.CodeOf(err) != stillcast.CodeInvalid {
			t.Errorf("%s: the code is lost", tt.field)
		}
	}
	if got := doc.Locate(errors.New("other")).Error(); got != "x.yaml: other" {
		t.Errorf("another error became %q", got)
	}
	if doc.Locate(nil) != nil {
		t.Error("nil became an error")
	}
}
