package stillcast

import (
	"errors"
	"fmt"
)

// Code says of which kind an [Error] is.
type Code string

// The kinds of errors that cross package borders.
const (
	CodeInvalid  Code = "invalid"   // a value is not allowed; Error.Field names it
	CodeNotFound Code = "not_found" // what was named does not exist
	CodeConflict Code = "conflict"  // it exists already, or is in use
	CodeDenied   Code = "denied"    // the caller may not do this
	CodeLimit    Code = "limit"     // a configured limit is reached
)

// Error is an error made for a person: what is wrong, where, and what is
// allowed instead.
type Error struct {
	Code    Code
	Field   string // key, field or URL part at fault; "" where there is none
	Message string
}

// Error implements error.
func (e *Error) Error() string {
	if e.Field == "" {
		return e.Message
	}
	return e.Field + ": " + e.Message
}

// Errorf makes an [Error].
func Errorf(code Code, field, format string, args ...any) *Error {
	return &Error{Code: code, Field: field, Message: fmt.Sprintf(format, args...)}
}

// Within returns err with its field prefixed by parent ("parent.field"), or err
// itself when it is not an [Error].
func Within(parent string, err error) error {
	e, ok := errors.AsType[*Error](err)
	if !ok {
		return err
	}
	field := parent
	if e.Field != "" {
		field += "." + e.Field
	}
	return &Error{Code: e.Code, Field: field, Message: e.Message}
}

// CodeOf returns the code of the first [Error] in err's chain, or "".
func CodeOf(err error) Code {
	if e, ok := errors.AsType[*Error](err); ok {
		return e.Code
	}
	return ""
}
