package ledger

import (
	"errors"
	"net/http"
	"time"

	"github.com/stillcast/stillcast"
)

// Codes of refusals beside those of [stillcast.Error].
const (
	codeUnauthorized = "unauthorized" // who asks is not known
	codeMethod       = "method"       // the path exists, the method does not
	codeTooLarge     = "too_large"
	codeInternal     = "internal"
)

// Refusal is the body of every answer but a success.
type Refusal struct {
	Error RefusalError `json:"error"`
}

// RefusalError says what is wrong, and what is allowed instead.
type RefusalError struct {
	Code    string `json:"code" enum:"invalid,not_found,conflict,denied,limit,unauthorized,method,too_large,internal" doc:"Kind of the refusal."`
	Field   string `json:"field,omitempty" doc:"Parameter, member or header at fault; missing where there is none."`
	Message string `json:"message" doc:"What is wrong, and what is allowed instead; of the field, where there is one."`
}

// fault is an answer with a status of its own.
type fault struct {
	status               int
	code, field, message string
	retryAfter           time.Duration // 0 for none
}

func (f *fault) Error() string {
	if f.field == "" {
		return f.message
	}
	return f.field + ": " + f.message
}

// Unauthorized is the error of [Options].Identify for a request whose sender is
// not known; err says why.
func Unauthorized(err error) error {
	return &fault{status: http.StatusUnauthorized, code: codeUnauthorized, field: "Authorization", message: unnamed(err)}
}

// TooOften is the error of [Options].Identify for a sender who guessed, and must
// wait; err says so.
func TooOften(err error, wait time.Duration) error {
	return &fault{
		status: http.StatusTooManyRequests, code: string(stillcast.CodeLimit), field: "Authorization", message: unnamed(err), retryAfter: wait,
	}
}

// unnamed is the text of an error without its field.
func unnamed(err error) string {
	if e, ok := errors.AsType[*stillcast.Error](err); ok {
		return e.Message
	}
	return err.Error()
}

// faultOf turns an error into an answer. known is false for an error that is no
// business of the caller.
func faultOf(err error) (f *fault, known bool) {
	if own, ok := errors.AsType[*fault](err); ok {
		return own, true
	}
	e, ok := errors.AsType[*stillcast.Error](err)
	if !ok {
		return &fault{
			status: http.StatusInternalServerError, code: codeInternal,
			message: "something went wrong on the server; its log has more under the request's id",
		}, false
	}
	return &fault{status: statusOf(e.Code), code: string(e.Code), field: e.Field, message: e.Message}, true
}

func statusOf(code stillcast.Code) int {
	switch code {
	case stillcast.CodeNotFound:
		return http.StatusNotFound
	case stillcast.CodeConflict:
		return http.StatusConflict
	case stillcast.CodeDenied:
		return http.StatusForbidden
	case stillcast.CodeLimit:
		return http.StatusTooManyRequests
	case stillcast.CodeInvalid:
	}
	return http.StatusBadRequest
}
