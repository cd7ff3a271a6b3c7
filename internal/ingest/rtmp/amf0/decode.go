package amf0

import (
	"encoding/binary"
	"fmt"
	"math"
	"time"
)

// Decode reads all values that data holds, one after the other. On an error
// it returns the values that were complete before it, too. The values do not
// share memory with data.
func Decode(data []byte, lim Limits) ([]any, error) {
	d := decoder{data: data, left: lim}
	var values []any
	for d.pos < len(d.data) {
		v, err := d.value(0)
		if err != nil {
			return values, fmt.Errorf("decode AMF0 value %d: %w", len(values)+1, err)
		}
		values = append(values, v)
	}
	return values, nil
}

// decoder counts down in left what may still be read; left.Depth stays.
type decoder struct {
	data []byte
	pos  int
	left Limits
}

func (d *decoder) fail(err error, format string, args ...any) error {
	return fmt.Errorf("%w: byte %d: %s", err, d.pos, fmt.Sprintf(format, args...))
}

// take returns the next n bytes.
func (d *decoder) take(n int, what string) ([]byte, error) {
	if n > len(d.data)-d.pos {
		return nil, d.fail(ErrTruncated, "%s needs %d bytes, %d are left", what, n, len(d.data)-d.pos)
	}
	b := d.data[d.pos : d.pos+n]
	d.pos += n
	return b, nil
}

// value reads one value inside of depth containers.
func (d *decoder) value(depth int) (any, error) {
	if d.left.Values <= 0 {
		return nil, d.fail(ErrValues, "the limit is reached")
	}
	d.left.Values--
	m, err := d.take(1, "a type marker")
	if err != nil {
		return nil, err
	}
	switch m[0] {
	case markerNumber:
		return d.number()
	case markerBoolean:
		return d.boolean()
	case markerString:
		return d.shortString()
	case markerLongString, markerXML:
		return d.longString()
	case markerNull, markerUndefined:
		return nil, nil
	case markerDate:
		return d.date()
	}
	return d.container(m[0], depth)
}

func (d *decoder) container(marker byte, depth int) (any, error) {
	switch marker {
	case markerObject, markerECMAArray, markerStrictArray, markerTypedObject:
		if depth >= d.left.Depth {
			return nil, d.fail(ErrDepth, "at most %d levels are allowed", d.left.Depth)
		}
	}
	switch marker {
	case markerObject:
		p, err := d.properties(depth + 1)
		return Object(p), err
	case markerECMAArray:
		// The count is a hint that many encoders get wrong; the end marker counts.
		if _, err := d.take(4, "an array's count"); err != nil {
			return nil, err
		}
		p, err := d.properties(depth + 1)
		return Array(p), err
	case markerStrictArray:
		return d.strictArray(depth + 1)
	case markerTypedObject:
		class, err := d.shortString()
		if err != nil {
			return nil, err
		}
		p, err := d.properties(depth + 1)
		return TypedObject{Class: class, Object: p}, err
	}
	d.pos-- // the error names the marker's own byte
	if name := unsupportedName(marker); name != "" {
		return nil, d.fail(ErrUnsupported, "%s (0x%02x)", name, marker)
	}
	return nil, d.fail(ErrMalformed, "0x%02x is no type marker of a value", marker)
}

func unsupportedName(marker byte) string {
	switch marker {
	case markerMovieClip:
		return "movie clip"
	case markerReference:
		return "reference"
	case markerUnsupported:
		return "unsupported"
	case markerRecordSet:
		return "record set"
	case markerAVMPlus:
		return "switch to AMF3"
	}
	return ""
}

func (d *decoder) number() (float64, error) {
	b, err := d.take(8, "a number")
	if err != nil {
		return 0, err
	}
	return math.Float64frombits(binary.BigEndian.Uint64(b)), nil
}

func (d *decoder) boolean() (bool, error) {
	b, err := d.take(1, "a boolean")
	if err != nil {
		return false, err
	}
	return b[0] != 0, nil
}

func (d *decoder) shortString() (string, error) {
	b, err := d.take(2, "a string's length")
	if err != nil {
		return "", err
	}
	return d.text(int(binary.BigEndian.Uint16(b)))
}

func (d *decoder) longString() (string, error) {
	b, err := d.take(4, "a long string's length")
	if err != nil {
		return "", err
	}
	n := binary.BigEndian.Uint32(b)
	if uint64(n) > uint64(len(d.data)) {
		return "", d.fail(ErrTruncated, "a long string of %d bytes does not fit", n)
	}
	return d.text(int(n))
}

func (d *decoder) text(n int) (string, error) {
	if n > d.left.StringBytes {
		return "", d.fail(ErrStringBytes, "%d bytes more, the limit leaves %d", n, d.left.StringBytes)
	}
	b, err := d.take(n, "a string")
	if err != nil {
		return "", err
	}
	d.left.StringBytes -= n
	return string(b), nil
}

// date reads a date; its time zone is reserved and ignored (specification
// section 2.13).
func (d *decoder) date() (time.Time, error) {
	ms, err := d.number()
	if err != nil {
		return time.Time{}, err
	}
	if _, err := d.take(2, "a date's time zone"); err != nil {
		return time.Time{}, err
	}
	if !(math.Abs(ms) <= maxDateMillis) { // not ">": NaN must fail, too
		return time.Time{}, d.fail(ErrMalformed, "%g ms is no date", ms)
	}
	return time.UnixMilli(int64(ms)).UTC(), nil
}

func (d *decoder) strictArray(depth int) ([]any, error) {
	b, err := d.take(4, "an array's count")
	if err != nil {
		return nil, err
	}
	count := binary.BigEndian.Uint32(b)
	if left := len(d.data) - d.pos; uint64(count) > uint64(left) { // a value has one byte at least
		return nil, d.fail(ErrTruncated, "an array of %d values cannot be in %d bytes", count, left)
	}
	values := []any{}
	for range count {
		v, err := d.value(depth)
		if err != nil {
			return nil, err
		}
		values = append(values, v)
	}
	return values, nil
}

// properties reads names and values up to the end: an empty name and the end
// marker.
func (d *decoder) properties(depth int) ([]Property, error) {
	properties := []Property{}
	for {
		name, err := d.shortString()
		if err != nil {
			return nil, err
		}
		if name == "" && d.pos < len(d.data) && d.data[d.pos] == markerObjectEnd {
			d.pos++
			return properties, nil
		}
		v, err := d.value(depth)
		if err != nil {
			return nil, fmt.Errorf("property %.40q: %w", name, err)
		}
		properties = append(properties, Property{Name: name, Value: v})
	}
}
