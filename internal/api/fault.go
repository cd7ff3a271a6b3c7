package api

import (
	"errors"
	"fmt"
	"strings"

	"github.com/stillcast/stillcast"
	"github.com/stillcast/stillcast/internal/api/tcsign"
)

// Codes of faults that no action has for itself (Tencent Cloud API 3.0, "Error
// codes").
const (
	codeInternal     = "InternalError"
	codeInvalid      = "InvalidParameter"
	codeInvalidValue = "InvalidParameterValue"
	codeMissing      = "MissingParameter"
	codeUnknown      = "UnknownParameter"
	codeAction       = "InvalidAction"
	codeVersion      = "NoSuchVersion"
	codeUnauthorized = "UnauthorizedOperation"
	codeUnsupported  = "UnsupportedOperation"
	codeTooOften     = "RequestLimitExceeded"
	codeTooLarge     = "RequestSizeLimitExceeded"
	codeProtocol     = "UnsupportedProtocol"
)

// fault is an answer that says what is wrong.
type fault struct {
	Code    string
	Message string
	Param   string `json:"-"` // at fault, as far as it is known, with what of it: "NAME[2].width"
}

// at says which parameter is at fault.
func (f *fault) at(param string) *fault {
	f.Param = param
	return f
}

func (f *fault) Error() string { return f.Code + ": " + f.Message }

func faultf(code, format string, args ...any) *fault {
	return &fault{Code: code, Message: fmt.Sprintf(format, args...)}
}

// faultOf turns an error into the answer of an action: by the action's own table for the
// kinds of Stillcast's errors. ok is false for an error that is no business of the caller.
func (a *Action) faultOf(err error) (f *fault, ok bool) {
	if own, is := errors.AsType[*fault](err); is {
		return own, true
	}
	if refused, is := errors.AsType[*tcsign.Error](err); is {
		return &fault{Code: refused.Code, Message: refused.Message}, true
	}
	e, is := errors.AsType[*stillcast.Error](err)
	if !is {
		return faultf(codeInternal, "something went wrong on the server; its log has more under this RequestId"), false
	}
	if a == nil {
		return &fault{Code: codeInternal, Message: e.Error()}, true
	}
	p, rest := a.param(e.Field)
	if p == nil {
		return &fault{Code: a.code(e), Message: e.Error()}, true
	}
	code := a.code(e)
	if e.Code == stillcast.CodeInvalid && p.Code != "" {
		code = p.Code
	}
	return &fault{Code: code, Message: p.Name + rest + ": " + e.Message, Param: p.Name + rest}, true
}

// param finds the parameter that a field of Stillcast's is set by, and what of
// the field's path lies within it, such as "[2].width".
func (a *Action) param(field string) (p *Param, rest string) {
	for i := range a.Params {
		for _, name := range a.Params[i].Fields {
			if within, ok := strings.CutPrefix(field, name); ok && (within == "" || within[0] == '[' || within[0] == '.') {
				return &a.Params[i], within
			}
		}
	}
	return nil, ""
}

// code is the action's code for an error of Stillcast.
func (a *Action) code(e *stillcast.Error) string {
	if code, ok := a.Faults[e.Code]; ok {
		return code
	}
	switch e.Code {
	case stillcast.CodeInvalid:
		return a.valueCode()
	case stillcast.CodeDenied:
		return codeUnauthorized
	}
	return codeInvalid
}
