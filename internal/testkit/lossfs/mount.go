package lossfs

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"strings"
	"testing"

	"golang.org/x/sys/unix"
)

// Disk is a mounted file system. It ends with the test.
type Disk struct {
	Dir string // where it is mounted

	commands io.WriteCloser
	answers  *bufio.Reader
}

// Mount makes an empty one. kind is what the kernel calls it behind "fuse.", "" for
// lossfs; programs that look take "sshfs" for a folder over a network.
func Mount(t testing.TB, kind string) *Disk {
	t.Helper()
	if _, err := os.Stat("/dev/fuse"); err != nil {
		t.Fatalf("This test cuts the power of a FUSE file system, and there is none here: %v. Load the kernel's module (modprobe fuse), "+
			"or start the container with --device /dev/fuse --cap-add SYS_ADMIN.", err)
	}
	if kind == "" {
		kind = "lossfs"
	}
	d := &Disk{Dir: t.TempDir()}
	said := &strings.Builder{}
	// Not bound to t.Context, which ends before the clean-up: programs may still run on it.
	cmd := exec.Command("/proc/self/exe") //nolint:noctx // ends when its input does
	cmd.Env = append(os.Environ(), folderKey+"="+d.Dir, kindKey+"="+kind)
	cmd.Stderr = said
	in, err := cmd.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	d.commands, d.answers = in, bufio.NewReader(out)
	t.Cleanup(func() {
		_ = in.Close()
		if err := cmd.Wait(); err != nil {
			t.Errorf("the file system %s ended with %v and said: %s", d.Dir, err, said)
		}
		// It did so itself unless it was killed.
		if err := unix.Unmount(d.Dir, unix.MNT_DETACH); err != nil && !errors.Is(err, unix.EINVAL) && !errors.Is(err, unix.EPERM) {
			t.Errorf("unmount %s: %v", d.Dir, err)
		}
	})
	if err := d.answer(); err != nil {
		_ = cmd.Process.Kill()
		t.Fatalf("This test cuts the power of a FUSE file system, which cannot be mounted here: %v %s. It needs the right to mount "+
			"(root, CAP_SYS_ADMIN), or fusermount3 (scripts/setup.sh test installs it).", err, said)
	}
	return d
}

// Cut cuts the power: what was not synced is gone. Seed 0 takes all of it; any other
// leaves a part to chance, the same part for the same seed and the same writes. No
// program may have a file open.
func (d *Disk) Cut(t testing.TB, seed int64) {
	t.Helper()
	d.do(t, "cut %d", seed)
}

// Fill makes the disk full but for so many bytes; a negative number makes it large
// again.
func (d *Disk) Fill(t testing.TB, room int64) {
	t.Helper()
	d.do(t, "fill %d", room)
}

func (d *Disk) do(t testing.TB, format string, args ...any) {
	t.Helper()
	_, err := fmt.Fprintf(d.commands, format+"\n", args...)
	if err == nil {
		err = d.answer()
	}
	if err != nil {
		t.Fatalf("file system %s: %s: %v", d.Dir, fmt.Sprintf(format, args...), err)
	}
}

func (d *Disk) answer() error {
	line, err := d.answers.ReadString('\n')
	if err != nil {
		return err
	}
	if line != "ok\n" {
		return errors.New(strings.TrimSpace(line))
	}
	return nil
}
