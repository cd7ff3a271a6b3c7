package lossfs

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"strconv"
	"strings"

	"github.com/hanwen/go-fuse/v2/fuse"
	"golang.org/x/sys/unix"
)

// The variables that make a test binary the process of a file system.
const (
	folderKey = "STILLCAST_TEST_LOSSFS"
	kindKey   = "STILLCAST_TEST_LOSSFS_KIND"
)

// Serve is called by the TestMain of packages that mount a [Disk]: in the process
// that was started for one, it serves it until the test has ended, and reports true
// and the exit code.
func Serve() (asked bool, code int) {
	folder, asked := os.LookupEnv(folderKey)
	if !asked {
		return false, 0
	}
	s := &service{disk: newDisk(), folder: folder, kind: os.Getenv(kindKey)}
	if err := s.run(os.Stdin, os.Stdout); err != nil {
		fmt.Fprintln(os.Stderr, "lossfs:", err)
		return true, 1
	}
	return true, 0
}

// service is a disk that is mounted.
type service struct {
	disk   *disk
	folder string
	kind   string
	server *fuse.Server
}

// run obeys one command a line, and answers each with a line: "ok", or what failed.
// When there are no more it unmounts: the test has ended, in whatever way.
func (s *service) run(commands io.Reader, answers io.Writer) error {
	if err := s.mount(); err != nil {
		return err
	}
	fmt.Fprintln(answers, "ok")
	for lines := bufio.NewScanner(commands); lines.Scan(); {
		answer := "ok"
		if err := s.obey(strings.Fields(lines.Text())); err != nil {
			answer = err.Error()
		}
		fmt.Fprintln(answers, answer)
	}
	return s.unmount(unix.MNT_DETACH)
}

func (s *service) obey(words []string) error {
	if len(words) != 2 {
		return fmt.Errorf("%q is no command", words)
	}
	number, err := strconv.ParseInt(words[1], 10, 64)
	if err != nil {
		return err
	}
	switch words[0] {
	case "fill":
		s.disk.fill(number)
		return nil
	case "cut":
		var chance *rand.Rand
		if number != 0 {
			chance = rand.New(rand.NewPCG(uint64(number), 0)) //nolint:gosec // to be had again
		}
		return s.cut(chance)
	}
	return fmt.Errorf("%q is no command", words)
}

// cut mounts anew besides, since the kernel keeps what it was told.
func (s *service) cut(chance *rand.Rand) error {
	if err := s.unmount(0); err != nil {
		return err
	}
	s.disk.cut(chance)
	return s.mount()
}

func (s *service) mount() error {
	// Without DirectMountStrict it is fusermount3 that mounts where this process may not.
	server, err := fuse.NewServer(newFileSystem(s.disk), s.folder, &fuse.MountOptions{
		Name: s.kind, FsName: "lossfs", DirectMount: true, DisableXAttrs: true, DisableReadDirPlus: true,
	})
	if err != nil {
		return fmt.Errorf("mount: %w", err)
	}
	s.server = server
	go server.Serve() // until it is unmounted, which unmount waits for
	return server.WaitMount()
}

// unmount returns when the kernel asks nothing any more.
func (s *service) unmount(flags int) error {
	err := unix.Unmount(s.folder, flags)
	if errors.Is(err, unix.EPERM) {
		err = s.server.Unmount() // by fusermount3
	}
	if err != nil {
		return fmt.Errorf("unmount %s: %w", s.folder, err)
	}
	s.server.Wait()
	return nil
}
