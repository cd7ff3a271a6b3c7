// Package amf0 encodes and decodes AMF0, the format of RTMP's commands and
// metadata (Adobe "Action Message Format – AMF 0", 2007). Values are the Go
// types
//
//	float64      number
//	bool         boolean
//	string       string, long string, XML document
//	nil          null, undefined
//	Object       object
//	TypedObject  typed object
//	Array        ECMA array
//	[]any        strict array
//	time.Time    date, in UTC
//
// The decoder is made for bytes of strangers: it bounds nesting, values and
// string bytes, and allocates nothing because of a number it was told.
package amf0

import (
	"errors"

	"github.com/stillcast/stillcast"
)

// Property is a named value of an object or ECMA array.
type Property struct {
	Name  string
	Value any
}

// Object is an anonymous object. The order of its properties is kept.
type Object []Property

// Get returns the value of the first property of that name.
func (o Object) Get(name string) (any, bool) { return get(o, name) }

// Array is an ECMA array: an object with a count, as in onMetaData.
type Array []Property

// Get returns the value of the first property of that name.
func (a Array) Get(name string) (any, bool) { return get(a, name) }

// TypedObject is an object with the name of its class.
type TypedObject struct {
	Class string
	Object
}

func get(properties []Property, name string) (any, bool) {
	for _, p := range properties {
		if p.Name == name {
			return p.Value, true
		}
	}
	return nil, false
}

// Limits bounds what [Decode] accepts in one call. Its zero value accepts
// nothing: start from [DefaultLimits].
type Limits struct {
	Depth       int `yaml:"depth"`        // objects and arrays inside one another
	Values      int `yaml:"values"`       // values altogether, nested ones included
	StringBytes int `yaml:"string_bytes"` // bytes of strings and property names altogether
}

// DefaultLimits returns limits that fit every known publisher's commands and
// metadata many times over: depth 8, 1024 values, 64 KiB of strings.
func DefaultLimits() Limits {
	return Limits{Depth: 8, Values: 1024, StringBytes: 64 << 10}
}

// Bounds of limits. What a publisher says is decoded by recursion, so the depth
// is what it may make the stack grow.
const (
	maxDepth       = 64
	maxValues      = 1 << 16
	maxStringBytes = 1 << 20
)

// Validate reports the first limit that is not allowed.
func (l Limits) Validate() error {
	bounds := []struct {
		field            string
		value, low, high int
	}{
		{"depth", l.Depth, 2, maxDepth},
		{"values", l.Values, 32, maxValues},
		{"string_bytes", l.StringBytes, 4 << 10, maxStringBytes},
	}
	for _, b := range bounds {
		if b.value < b.low || b.value > b.high {
			return stillcast.Errorf(stillcast.CodeInvalid, b.field, "is %d; allowed are %d to %d", b.value, b.low, b.high)
		}
	}
	return nil
}

// What may be wrong with AMF0 data. The errors of [Decode] wrap one of these
// and name the byte at which it was found.
var (
	// ErrTruncated says that the data ends inside a value.
	ErrTruncated = errors.New("AMF0 data is cut off")
	// ErrUnsupported says that there is a type that Stillcast does not read:
	// reference, movie clip, record set, "unsupported", or the switch to AMF3.
	ErrUnsupported = errors.New("AMF0 type is not supported")
	// ErrMalformed says that the data is no AMF0.
	ErrMalformed = errors.New("AMF0 data is malformed")
	// ErrDepth says that values are nested deeper than Limits.Depth.
	ErrDepth = errors.New("AMF0 data is nested too deep")
	// ErrValues says that there are more values than Limits.Values.
	ErrValues = errors.New("AMF0 data has too many values")
	// ErrStringBytes says that the strings are longer than Limits.StringBytes.
	ErrStringBytes = errors.New("AMF0 strings are too long")
	// ErrNotEncodable says that [Append] was given a value that AMF0 cannot
	// carry.
	ErrNotEncodable = errors.New("value cannot be encoded in AMF0")
)

// Type markers (AMF0 specification section 2.1).
const (
	markerNumber      = 0x00
	markerBoolean     = 0x01
	markerString      = 0x02
	markerObject      = 0x03
	markerMovieClip   = 0x04
	markerNull        = 0x05
	markerUndefined   = 0x06
	markerReference   = 0x07
	markerECMAArray   = 0x08
	markerObjectEnd   = 0x09
	markerStrictArray = 0x0A
	markerDate        = 0x0B
	markerLongString  = 0x0C
	markerUnsupported = 0x0D
	markerRecordSet   = 0x0E
	markerXML         = 0x0F
	markerTypedObject = 0x10
	markerAVMPlus     = 0x11
)

// maxDateMillis is the largest distance from 1970 that an ECMAScript date can
// have, in milliseconds (ECMA-262, "Time Values and Time Range").
const maxDateMillis = 8.64e15
