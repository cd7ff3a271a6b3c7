package config

import (
	"regexp"
	"strconv"
	"time"
	_ "time/tzdata" // names must work on machines without a zone database

	"github.com/stillcast/stillcast"
)

// maxOffset is the largest offset in use, that of Kiribati.
const maxOffset = 14 * time.Hour

var offsetForm = regexp.MustCompile(`^([+-])(\d\d):([0-5]\d)$`)

// ParseTimeZone returns the time zone that s names: an offset from UTC such as
// "+08:00" or "-05:30", "UTC", "Z", or a name of the IANA database such as
// "Asia/Shanghai".
func ParseTimeZone(s string) (*time.Location, error) {
	const allowed = `allowed are offsets such as +08:00, UTC, and names such as Asia/Shanghai`
	if s == "UTC" || s == "Z" {
		return time.UTC, nil
	}
	if m := offsetForm.FindStringSubmatch(s); m != nil {
		hours, _ := strconv.Atoi(m[2]) // two digits, as the form has it
		minutes, _ := strconv.Atoi(m[3])
		offset := time.Duration(hours)*time.Hour + time.Duration(minutes)*time.Minute
		if offset > maxOffset {
			return nil, stillcast.Errorf(stillcast.CodeInvalid, "", "%q is more than 14 hours from UTC", s)
		}
		if m[1] == "-" {
			offset = -offset
		}
		return time.FixedZone(s, int(offset/time.Second)), nil
	}
	if s == "" || s == "Local" { // time.LoadLocation gives these meanings of its own
		return nil, stillcast.Errorf(stillcast.CodeInvalid, "", "%q is no time zone; %s", s, allowed)
	}
	location, err := time.LoadLocation(s)
	if err != nil {
		return nil, stillcast.Errorf(stillcast.CodeInvalid, "", "%q is no time zone; %s", s, allowed)
	}
	return location, nil
}
