package amf0

import (
	"encoding/binary"
	"fmt"
	"math"
	"time"
)

// maxAppendDepth bounds the nesting of what is encoded: slices can hold
// themselves.
const maxAppendDepth = 64

// Append encodes the values one after the other at the end of dst. Besides
// the types of the package comment it takes int, which becomes a number. On an
// error, which wraps [ErrNotEncodable], it returns dst unchanged.
func Append(dst []byte, values ...any) ([]byte, error) {
	out := dst
	for i, v := range values {
		var err error
		if out, err = appendValue(out, v, 0); err != nil {
			return dst, fmt.Errorf("encode AMF0 value %d: %w", i+1, err)
		}
	}
	return out, nil
}

func appendValue(dst []byte, value any, depth int) ([]byte, error) {
	if depth > maxAppendDepth {
		return dst, fmt.Errorf("%w: nested deeper than %d", ErrNotEncodable, maxAppendDepth)
	}
	switch v := value.(type) {
	case nil:
		return append(dst, markerNull), nil
	case float64:
		return appendNumber(append(dst, markerNumber), v), nil
	case int:
		return appendNumber(append(dst, markerNumber), float64(v)), nil
	case bool:
		if v {
			return append(dst, markerBoolean, 1), nil
		}
		return append(dst, markerBoolean, 0), nil
	case string:
		return appendString(dst, v)
	case time.Time:
		return appendDate(dst, v)
	case Object:
		return appendProperties(append(dst, markerObject), v, depth+1)
	case TypedObject:
		return appendTypedObject(dst, v, depth+1)
	case Array:
		dst = binary.BigEndian.AppendUint32(append(dst, markerECMAArray), uint32(len(v))) //nolint:gosec // a hint only
		return appendProperties(dst, v, depth+1)
	case []any:
		return appendStrictArray(dst, v, depth+1)
	}
	return dst, fmt.Errorf("%w: Go type %T", ErrNotEncodable, value)
}

func appendNumber(dst []byte, v float64) []byte {
	return binary.BigEndian.AppendUint64(dst, math.Float64bits(v))
}

func appendDate(dst []byte, t time.Time) ([]byte, error) {
	ms := float64(t.UnixMilli())
	if math.Abs(ms) > maxDateMillis {
		return dst, fmt.Errorf("%w: date %s is too far from 1970", ErrNotEncodable, t)
	}
	dst = appendNumber(append(dst, markerDate), ms)
	return append(dst, 0, 0), nil
}

func appendString(dst []byte, s string) ([]byte, error) {
	if len(s) <= math.MaxUint16 {
		return appendName(append(dst, markerString), s)
	}
	if uint64(len(s)) > math.MaxUint32 {
		return dst, fmt.Errorf("%w: string of %d bytes", ErrNotEncodable, len(s))
	}
	dst = binary.BigEndian.AppendUint32(append(dst, markerLongString), uint32(len(s)))
	return append(dst, s...), nil
}

// appendName appends a string without a marker: property and class names.
func appendName(dst []byte, s string) ([]byte, error) {
	if len(s) > math.MaxUint16 {
		return dst, fmt.Errorf("%w: name of %d bytes, at most %d are allowed", ErrNotEncodable, len(s), math.MaxUint16)
	}
	dst = binary.BigEndian.AppendUint16(dst, uint16(len(s)))
	return append(dst, s...), nil
}

func appendProperties(dst []byte, properties []Property, depth int) ([]byte, error) {
	for _, p := range properties {
		var err error
		if dst, err = appendName(dst, p.Name); err != nil {
			return dst, err
		}
		if dst, err = appendValue(dst, p.Value, depth); err != nil {
			return dst, fmt.Errorf("property %.40q: %w", p.Name, err)
		}
	}
	return append(dst, 0, 0, markerObjectEnd), nil
}

func appendTypedObject(dst []byte, v TypedObject, depth int) ([]byte, error) {
	dst, err := appendName(append(dst, markerTypedObject), v.Class)
	if err != nil {
		return dst, err
	}
	return appendProperties(dst, v.Object, depth)
}

func appendStrictArray(dst []byte, values []any, depth int) ([]byte, error) {
	if uint64(len(values)) > math.MaxUint32 {
		return dst, fmt.Errorf("%w: array of %d values", ErrNotEncodable, len(values))
	}
	dst = binary.BigEndian.AppendUint32(append(dst, markerStrictArray), uint32(len(values)))
	for i, v := range values {
		var err error
		if dst, err = appendValue(dst, v, depth); err != nil {
			return dst, fmt.Errorf("array value %d: %w", i+1, err)
		}
	}
	return dst, nil
}
