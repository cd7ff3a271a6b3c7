package sqlite

import (
	"bufio"
	"database/sql"
	"fmt"
	"io"
	"os"
	"os/exec"
	"strings"
	"testing"
)

// The variables that make the test binary a process that locks a database until
// its standard input ends.
const (
	lockPath      = "STILLCAST_TEST_LOCK_PATH"
	lockStatement = "STILLCAST_TEST_LOCK_STATEMENT"
)

func lockUntilEnd(path, statements string) error {
	db, err := sql.Open("sqlite", path)
	if err != nil {
		return err
	}
	defer db.Close()
	db.SetMaxOpenConns(1)
	for statement := range strings.SplitSeq(statements, "; ") {
		if _, err := db.Exec(statement); err != nil {
			return err
		}
	}
	if _, err := fmt.Fprintln(os.Stdout, "locked"); err != nil {
		return err
	}
	_, err = io.Copy(io.Discard, os.Stdin)
	return err
}

// lockByOther starts a process that executes the statements on the database, and
// returns when it has.
func lockByOther(t *testing.T, path, statements string) (pid int, release func()) {
	t.Helper()
	child := exec.CommandContext(t.Context(), os.Args[0])
	child.Env = append(os.Environ(), lockPath+"="+path, lockStatement+"="+statements)
	child.Stderr = os.Stderr
	in, err := child.StdinPipe()
	check(t, err)
	out, err := child.StdoutPipe()
	check(t, err)
	check(t, child.Start())
	if line, err := bufio.NewReader(out).ReadString('\n'); line != "locked\n" {
		t.Fatalf("the other process said %q, %v", line, err)
	}
	return child.Process.Pid, func() {
		check(t, in.Close())
		check(t, child.Wait())
	}
}
