package costest

import (
	"fmt"
	"io"
	"net"
	"net/http"
)

// Fault decides about a request before the server does: it answers, or breaks
// the connection, and returns true; or it leaves the request alone.
type Fault func(w http.ResponseWriter, r *http.Request) bool

// Fail gives every request from now on a fault; nil ends it.
func (s *Server) Fail(f Fault) {
	s.mutex.Lock()
	defer s.mutex.Unlock()
	s.fault = f
}

// Throttled refuses for too many requests: 503 SlowDown.
func Throttled(w http.ResponseWriter, r *http.Request) bool {
	return refused(w, r, http.StatusServiceUnavailable, "SlowDown", "please reduce your request rate")
}

// Denied refuses for want of a permission: 403 AccessDenied.
func Denied(w http.ResponseWriter, r *http.Request) bool {
	return refused(w, r, http.StatusForbidden, "AccessDenied", "access denied")
}

// Unavailable refuses for maintenance: 503 ServiceUnavailable.
func Unavailable(w http.ResponseWriter, r *http.Request) bool {
	return refused(w, r, http.StatusServiceUnavailable, "ServiceUnavailable", "please try again")
}

// Broken refuses for a fault of its own: 500 InternalError.
func Broken(w http.ResponseWriter, r *http.Request) bool {
	return refused(w, r, http.StatusInternalServerError, "InternalError", "we encountered an internal error")
}

// Refused returns a fault that refuses with a status and a code.
func Refused(status int, code, message string) Fault {
	return func(w http.ResponseWriter, r *http.Request) bool { return refused(w, r, status, code, message) }
}

func refused(w http.ResponseWriter, r *http.Request, status int, code, message string) bool {
	writeError(w, r, &answer{status: status, code: code, message: message})
	return true
}

// Plain returns a fault that answers with a status and nothing of COS's, as
// what stands before it may.
func Plain(status int) Fault {
	return func(w http.ResponseWriter, _ *http.Request) bool {
		http.Error(w, http.StatusText(status), status)
		return true
	}
}

// Redirected returns a fault that sends clients elsewhere.
func Redirected(location string) Fault {
	return func(w http.ResponseWriter, _ *http.Request) bool {
		w.Header().Set("Location", location)
		w.WriteHeader(http.StatusTemporaryRedirect)
		return true
	}
}

// Silent reads some of the body and says nothing until the client goes away.
func Silent(_ http.ResponseWriter, r *http.Request) bool {
	readHalf(r)
	// The server notices that a client went away only while nothing is left to read.
	_, _ = io.Copy(io.Discard, r.Body)
	<-r.Context().Done()
	return true
}

// Reset reads half of the body and resets the connection.
func Reset(w http.ResponseWriter, r *http.Request) bool {
	readHalf(r)
	return hangUp(w, "")
}

// HalfAnswer leaves what is no GET alone. A GET gets half of the 1000 bytes that
// its headers promise, then the connection ends.
func HalfAnswer(w http.ResponseWriter, r *http.Request) bool {
	if r.Method != http.MethodGet {
		return false
	}
	return hangUp(w, fmt.Sprintf("HTTP/1.1 200 OK\r\nContent-Length: 1000\r\nLast-Modified: %s\r\n\r\n%0500d", "Thu, 26 Nov 2026 10:00:00 GMT", 0))
}

// WrongChecksum answers PUT and GET as if something else were stored. It stores nothing.
func WrongChecksum(w http.ResponseWriter, r *http.Request) bool {
	_, _ = io.Copy(io.Discard, r.Body)
	w.Header().Set("x-cos-hash-crc64ecma", "1")
	w.Header().Set("Last-Modified", "Thu, 26 Nov 2026 10:00:00 GMT")
	if r.Method == http.MethodGet {
		_, _ = w.Write([]byte("something else"))
	}
	return true
}

func readHalf(r *http.Request) { _, _ = io.CopyN(io.Discard, r.Body, max(r.ContentLength/2, 0)) }

// hangUp writes what is given and closes the connection, or resets it after nothing.
func hangUp(w http.ResponseWriter, text string) bool {
	conn, _, err := http.NewResponseController(w).Hijack()
	if err != nil {
		http.Error(w, "costest: the connection cannot be reset: "+err.Error(), http.StatusInternalServerError)
		return true
	}
	_, _ = io.WriteString(conn, text)
	// What was written would be lost with it.
	if tcp, ok := conn.(*net.TCPConn); ok && text == "" {
		_ = tcp.SetLinger(0)
	}
	_ = conn.Close()
	return true
}
