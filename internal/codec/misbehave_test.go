package codec

import (
	"errors"
	"fmt"
	"io"
	"os"
	"strings"
)

// actAsWorker plays a worker. "without CALLS" plays a real one on a kernel that lacks the calls, "without CALLS: MODE" another one there.
// "FIRST,THEN:PATH" plays FIRST in the first process that finds no file at PATH, THEN in the others.
func actAsWorker(mode string) error {
	if turns, path, ok := strings.Cut(mode, ":/"); ok {
		first, then, _ := strings.Cut(turns, ",")
		mode = then
		if file, err := os.OpenFile("/"+path, os.O_CREATE|os.O_EXCL, 0o600); err == nil {
			file.Close()
			mode = first
		}
	}
	switch mode {
	case "real":
		return RunWorker()
	case "env":
		return fmt.Errorf("environment: %q", os.Environ())
	case "broken":
		return errors.New("error while loading shared libraries")
	}
	if rest, ok := strings.CutPrefix(mode, "without "); ok {
		calls, attack, misbehaves := strings.Cut(rest, ": ")
		if err := forbid(strings.Fields(calls)); err != nil {
			return err
		}
		if !misbehaves {
			return RunWorker()
		}
		mode = attack
	}
	return misbehave(mode)
}

// misbehave starts as a worker does and then answers in its own way.
func misbehave(mode string) error {
	conn := parentSocket()
	life, err := parentLife() // or the runtime's poller is missing later
	if err != nil {
		return err
	}
	defer life.Close()
	l, err := readSetup(conn)
	if err != nil {
		return err
	}
	parent := os.Getppid() // before that cannot be asked
	box, err := confine(l)
	if err != nil {
		return err
	}
	if _, err := conn.Write(appendHello(nil, box)); err != nil {
		return err
	}
	for {
		r, _, err := readRequest(nil, conn, l)
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return err
		}
		if try, ok := attacks()[mode]; ok {
			err = attack(conn, r, func() error { return try(parent) })
		} else {
			err = answerBadly(mode, conn, r)
		}
		if err != nil {
			return err
		}
	}
}

func answerBadly(mode string, conn io.Writer, r *Request) error {
	switch mode {
	case "hang":
		return nil
	case "die":
		return errors.New("double free or corruption")
	case "nonsense":
		_, err := conn.Write([]byte("HTTP/1.1 200 OK\r\n\r\n"))
		return err
	case "huge":
		_, err := conn.Write(appendHead(nil, kindResult, 1<<32-1))
		return err
	case "lie":
		made, err := shoot(r, 1<<30)
		if err != nil {
			return err
		}
		made.Pictures[0].Width++
		message := made.buffers()
		_, err = message.WriteTo(conn)
		return err
	}
	return fmt.Errorf("no worker behaves like %q", mode)
}
