package amf0_test

import (
	"bytes"
	"encoding/binary"
	"errors"
	"math"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	"go.uber.org/goleak"

	"github.com/stillcast/stillcast/internal/ingest/rtmp/amf0"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// encodings pairs values with their bytes as the AMF0 specification has them.
func encodings() []struct {
	name   string
	values []any
	data   string
} {
	return []struct {
		name   string
		values []any
		data   string
	}{
		{"nothing", nil, ""},
		{"number", []any{1.5}, "\x00\x3f\xf8\x00\x00\x00\x00\x00\x00"},
		{"booleans", []any{true, false}, "\x01\x01\x01\x00"},
		{"string", []any{"connect"}, "\x02\x00\x07connect"},
		{"empty string", []any{""}, "\x02\x00\x00"},
		{"null", []any{nil}, "\x05"},
		{"date", []any{time.UnixMilli(1500).UTC()}, "\x0b\x40\x97\x70\x00\x00\x00\x00\x00\x00\x00"},
		{
			"object",
			[]any{amf0.Object{{Name: "app", Value: "live"}, {Name: "", Value: true}}},
			"\x03\x00\x03app\x02\x00\x04live\x00\x00\x01\x01\x00\x00\x09",
		},
		{"empty object", []any{amf0.Object{}}, "\x03\x00\x00\x09"},
		{
			"ECMA array",
			[]any{amf0.Array{{Name: "width", Value: 2.0}}},
			"\x08\x00\x00\x00\x01\x00\x05width\x00\x40\x00\x00\x00\x00\x00\x00\x00\x00\x00\x09",
		},
		{"strict array", []any{[]any{nil, []any{}}}, "\x0a\x00\x00\x00\x02\x05\x0a\x00\x00\x00\x00"},
		{
			"typed object",
			[]any{amf0.TypedObject{Class: "C", Object: amf0.Object{{Name: "a", Value: nil}}}},
			"\x10\x00\x01C\x00\x01a\x05\x00\x00\x09",
		},
	}
}

func TestDecode(t *testing.T) {
	for _, tt := range encodings() {
		t.Run(tt.name, func(t *testing.T) {
			got, err := amf0.Decode([]byte(tt.data), amf0.DefaultLimits())
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(tt.values, got); diff != "" {
				t.Errorf("Decode (-want +got):\n%s", diff)
			}
		})
	}
}

func TestAppend(t *testing.T) {
	for _, tt := range encodings() {
		t.Run(tt.name, func(t *testing.T) {
			got, err := amf0.Append([]byte("before"), tt.values...)
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff("before"+tt.data, string(got)); diff != "" {
				t.Errorf("Append (-want +got):\n%s", diff)
			}
		})
	}
}

func TestAppendTakesInt(t *testing.T) {
	got, err := amf0.Append(nil, 3)
	if err != nil {
		t.Fatal(err)
	}
	values, err := amf0.Decode(got, amf0.DefaultLimits())
	if diff := cmp.Diff([]any{3.0}, values); err != nil || diff != "" {
		t.Errorf("decoded (-want +got):\n%s, error %v", diff, err)
	}
}

// What is read but never written: other forms of the same values.
func TestDecodeOtherForms(t *testing.T) {
	tests := []struct {
		name, data string
		want       []any
	}{
		{"undefined", "\x06", []any{nil}},
		{"long string", "\x0c\x00\x00\x00\x02ab", []any{"ab"}},
		{"XML", "\x0f\x00\x00\x00\x04<a/>", []any{"<a/>"}},
		{"boolean 2", "\x01\x02", []any{true}},
		{"date with a zone", "\x0b\x00\x00\x00\x00\x00\x00\x00\x00\xfe\x20", []any{time.Unix(0, 0).UTC()}},
		{"array with a wrong count", "\x08\xff\xff\xff\xff\x00\x01a\x05\x00\x00\x09", []any{amf0.Array{{Name: "a"}}}},
		{
			"object end marker as a value's content", "\x03\x00\x00\x02\x00\x01\x09\x00\x00\x09",
			[]any{amf0.Object{{Name: "", Value: "\x09"}}},
		},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			got, err := amf0.Decode([]byte(tt.data), amf0.DefaultLimits())
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(tt.want, got); diff != "" {
				t.Errorf("Decode (-want +got):\n%s", diff)
			}
		})
	}
}

func TestDecodeErrors(t *testing.T) {
	tests := []struct {
		name, data string
		want       error
		text       string
	}{
		{"reference", "\x07\x00\x00", amf0.ErrUnsupported, "reference"},
		{"movie clip", "\x04", amf0.ErrUnsupported, "movie clip"},
		{"unsupported", "\x0d", amf0.ErrUnsupported, "0x0d"},
		{"record set", "\x0e", amf0.ErrUnsupported, "record set"},
		{"AVM+", "\x11\x0a", amf0.ErrUnsupported, "AMF3"},
		{"unknown marker", "\x12", amf0.ErrMalformed, "0x12"},
		{"object end alone", "\x09", amf0.ErrMalformed, "0x09"},
		{"short number", "\x00\x3f\xf8", amf0.ErrTruncated, "a number needs 8 bytes, 2 are left"},
		{"short boolean", "\x01", amf0.ErrTruncated, "boolean"},
		{"short string", "\x02\x00\x05abc", amf0.ErrTruncated, "a string needs 5 bytes, 3 are left"},
		{"no string length", "\x02\x00", amf0.ErrTruncated, "length"},
		{"huge long string", "\x0c\xff\xff\xff\xff", amf0.ErrTruncated, "4294967295"},
		{"short date", "\x0b\x00\x00\x00\x00\x00\x00\x00\x00\x00", amf0.ErrTruncated, "time zone"},
		{"date NaN", "\x0b\x7f\xf8\x00\x00\x00\x00\x00\x00\x00\x00", amf0.ErrMalformed, "no date"},
		{"date too far", "\x0b\x7e\x00\x00\x00\x00\x00\x00\x00\x00\x00", amf0.ErrMalformed, "no date"},
		{"object without end", "\x03\x00\x01a\x05", amf0.ErrTruncated, "byte 6"},
		{"bad property", "\x03\x00\x03key\x07\x00\x00", amf0.ErrUnsupported, `property "key"`},
		{"array without count", "\x08\x00", amf0.ErrTruncated, "count"},
		{"huge strict array", "\x0a\xff\xff\xff\xff\x05", amf0.ErrTruncated, "4294967295"},
		{"typed object without class", "\x10", amf0.ErrTruncated, "length"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			values, err := amf0.Decode([]byte("\x05"+tt.data), amf0.DefaultLimits())
			if !errors.Is(err, tt.want) {
				t.Fatalf("Decode: %v, want %v", err, tt.want)
			}
			if !strings.Contains(err.Error(), tt.text) {
				t.Errorf("error %q does not hold %q", err, tt.text)
			}
			if diff := cmp.Diff([]any{nil}, values); diff != "" {
				t.Errorf("values before the error (-want +got):\n%s", diff)
			}
		})
	}
}

func TestDecodeErrorNamesTheByte(t *testing.T) {
	_, err := amf0.Decode([]byte("\x05\x05\x07"), amf0.DefaultLimits())
	if want := "decode AMF0 value 3: AMF0 type is not supported: byte 2: reference (0x07)"; err == nil || err.Error() != want {
		t.Errorf("error %v, want %q", err, want)
	}
}

func TestLimits(t *testing.T) {
	nested := func(depth int) string {
		return strings.Repeat("\x0a\x00\x00\x00\x01", depth) + "\x05"
	}
	lim := amf0.Limits{Depth: 3, Values: 5, StringBytes: 4}
	tests := []struct {
		name, data string
		want       error
	}{
		{"depth allowed", nested(3), nil},
		{"depth", nested(4), amf0.ErrDepth},
		{"depth of objects", strings.Repeat("\x03\x00\x01a", 4), amf0.ErrDepth},
		{"depth of ECMA arrays", strings.Repeat("\x08\x00\x00\x00\x00\x00\x00", 4), amf0.ErrDepth},
		{"depth of typed objects", strings.Repeat("\x10\x00\x00\x00\x00", 4), amf0.ErrDepth},
		{"values allowed", strings.Repeat("\x05", 5), nil},
		{"values", strings.Repeat("\x05", 6), amf0.ErrValues},
		{"values inside", "\x0a\x00\x00\x00\x05\x05\x05\x05\x05\x05", amf0.ErrValues},
		{"strings allowed", "\x02\x00\x02ab\x02\x00\x02cd", nil},
		{"strings", "\x02\x00\x02ab\x02\x00\x03cde", amf0.ErrStringBytes},
		{"long string", "\x0c\x00\x00\x00\x05abcde", amf0.ErrStringBytes},
		{"names count", "\x03\x00\x05abcde\x05\x00\x00\x09", amf0.ErrStringBytes},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			if _, err := amf0.Decode([]byte(tt.data), lim); !errors.Is(err, tt.want) {
				t.Errorf("Decode: %v, want %v", err, tt.want)
			}
		})
	}
	if _, err := amf0.Decode([]byte("\x05"), amf0.Limits{}); !errors.Is(err, amf0.ErrValues) {
		t.Errorf("zero limits: %v, want %v", err, amf0.ErrValues)
	}
}

// A "connect" of ten megabytes of nested objects overflows the stack of other
// decoders and takes the process with it.
func TestNestedBomb(t *testing.T) {
	for _, level := range []string{"\x03\x00\x01a", "\x08\xff\xff\xff\xff\x00\x01a", "\x0a\x00\x00\x00\x01"} {
		bomb := []byte("\x02\x00\x07connect" + strings.Repeat(level, 10<<20/len(level)))
		var before, after runtime.MemStats
		runtime.ReadMemStats(&before)
		_, err := amf0.Decode(bomb, amf0.DefaultLimits())
		runtime.ReadMemStats(&after)
		if !errors.Is(err, amf0.ErrDepth) {
			t.Errorf("%q: %v, want %v", level, err, amf0.ErrDepth)
		}
		if grown := after.TotalAlloc - before.TotalAlloc; grown > 64<<10 {
			t.Errorf("%q: %d bytes were allocated for it", level, grown)
		}
	}
}

// A count costs its sender nothing, so it must cost the receiver nothing.
func TestCountsAllocateNothing(t *testing.T) {
	data := []byte("\x0a\x00\x10\x00\x00" + strings.Repeat("\x05", 1<<20))
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	_, err := amf0.Decode(data, amf0.DefaultLimits())
	runtime.ReadMemStats(&after)
	if !errors.Is(err, amf0.ErrValues) {
		t.Errorf("Decode: %v, want %v", err, amf0.ErrValues)
	}
	if grown := after.TotalAlloc - before.TotalAlloc; grown > 128<<10 {
		t.Errorf("%d bytes were allocated for an array cut off at 1024 values", grown)
	}
}

func TestLongStringRoundTrip(t *testing.T) {
	for _, n := range []int{math.MaxUint16, math.MaxUint16 + 1} {
		data, err := amf0.Append(nil, strings.Repeat("x", n))
		if err != nil {
			t.Fatal(err)
		}
		lim := amf0.Limits{Depth: 1, Values: 1, StringBytes: n}
		values, err := amf0.Decode(data, lim)
		if err != nil || len(values) != 1 || len(values[0].(string)) != n {
			t.Errorf("string of %d bytes did not come back: %v", n, err)
		}
	}
}

func TestAppendErrors(t *testing.T) {
	cycle := []any{nil}
	cycle[0] = cycle
	tests := []struct {
		name  string
		value any
		text  string
	}{
		{"type", struct{}{}, "struct {}"},
		{"inside", amf0.Object{{Name: "key", Value: uint8(1)}}, `property "key"`},
		{"inside an array", []any{nil, int64(1)}, "array value 2"},
		{"name", amf0.Array{{Name: strings.Repeat("n", math.MaxUint16+1)}}, "name of 65536 bytes"},
		{"class", amf0.TypedObject{Class: strings.Repeat("n", math.MaxUint16+1)}, "name of 65536 bytes"},
		{"date", time.UnixMilli(math.MaxInt64), "too far"},
		{"holds itself", cycle, "deeper than 64"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			got, err := amf0.Append([]byte("before"), true, tt.value)
			if !errors.Is(err, amf0.ErrNotEncodable) || !strings.Contains(err.Error(), tt.text) {
				t.Errorf("Append: %v, want %v with %q", err, amf0.ErrNotEncodable, tt.text)
			}
			if string(got) != "before" {
				t.Errorf("Append left %q, want what it was given", got)
			}
		})
	}
}

func TestGet(t *testing.T) {
	p := []amf0.Property{{Name: "a", Value: 1.0}, {Name: "a", Value: 2.0}, {Name: "none", Value: nil}}
	getters := map[string]func(string) (any, bool){
		"Object": amf0.Object(p).Get, "Array": amf0.Array(p).Get, "TypedObject": amf0.TypedObject{Object: p}.Get,
	}
	for name, get := range getters {
		if v, ok := get("a"); v != 1.0 || !ok {
			t.Errorf("%s: a is %v, %t; want the first, 1", name, v, ok)
		}
		if v, ok := get("none"); v != nil || !ok {
			t.Errorf("%s: none is %v, %t; want nil, true", name, v, ok)
		}
		if v, ok := get("b"); v != nil || ok {
			t.Errorf("%s: b is %v, %t; want nil, false", name, v, ok)
		}
	}
}

// FuzzDecode checks that nothing breaks the decoder and that what it accepts
// comes back after encoding.
func FuzzDecode(f *testing.F) {
	for _, tt := range encodings() {
		f.Add([]byte(tt.data))
	}
	f.Add([]byte("\x0c\x00\x00\x00\x02ab\x0f\x00\x00\x00\x04<a/>\x06\x11"))
	f.Add(bytes.Repeat([]byte("\x03\x00\x01a"), 20))
	f.Add(binary.BigEndian.AppendUint64([]byte{0}, math.Float64bits(math.NaN())))
	f.Fuzz(func(t *testing.T, data []byte) {
		first, err := amf0.Decode(data, amf0.DefaultLimits())
		if err != nil && len(data) == 0 {
			t.Fatalf("empty data: %v", err)
		}
		encoded, err := amf0.Append(nil, first...)
		if err != nil {
			t.Fatalf("Append of what was decoded: %v", err)
		}
		second, err := amf0.Decode(encoded, amf0.DefaultLimits())
		if err != nil {
			t.Fatalf("Decode of what was encoded: %v", err)
		}
		if diff := cmp.Diff(first, second, cmpopts.EquateNaNs()); diff != "" {
			t.Errorf("round trip (-want +got):\n%s", diff)
		}
	})
}
