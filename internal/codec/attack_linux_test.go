package codec

import (
	"errors"
	"io"
	"os"
	"syscall"

	"github.com/elastic/go-seccomp-bpf"
	"golang.org/x/sys/unix"
)

// attack is what hostile code in a worker may try. When that fails without the end of the
// worker it makes the picture, and when it succeeds it answers nonsense.
func attack(conn io.Writer, r *Request, try func() error) error {
	if try() == nil {
		_, err := conn.Write([]byte("it worked: the sandbox has a hole"))
		return err
	}
	made, err := shoot(r, 1<<30)
	if err != nil {
		return err
	}
	message := made.buffers()
	_, err = message.WriteTo(conn)
	return err
}

// wasHere is what attacks make.
const wasHere = "/tmp/stillcast-worker-was-here"

// attacks are tries by name; parent is the process that a worker might want to end.
func attacks() map[string]func(parent int) error {
	raw := func(number uintptr, arguments ...uintptr) error {
		var a [6]uintptr
		copy(a[:], arguments)
		if _, _, fault := syscall.RawSyscall6(number, a[0], a[1], a[2], a[3], a[4], a[5]); fault != 0 {
			return fault
		}
		return nil
	}
	return map[string]func(parent int) error{
		"open": func(int) error { return opened(os.Open("/etc/passwd")) },
		"create": func(int) error {
			return opened(os.OpenFile(wasHere, os.O_CREATE|os.O_WRONLY, 0o600))
		},
		"mkdir":  func(int) error { return os.Mkdir(wasHere, 0o700) },
		"proc":   func(int) error { return opened(os.Open("/proc/self/environ")) },
		"dup":    func(int) error { return raw(unix.SYS_DUP, 2) },
		"socket": func(int) error { return raw(unix.SYS_SOCKET, unix.AF_INET, unix.SOCK_STREAM, 0) },
		"unix":   func(int) error { return raw(unix.SYS_SOCKET, unix.AF_UNIX, unix.SOCK_STREAM, 0) },
		"exec":   func(int) error { return syscall.Exec("/bin/true", []string{"true"}, nil) },
		"run": func(int) error {
			_, err := os.StartProcess("/bin/true", []string{"true"}, &os.ProcAttr{})
			return err
		},
		"fork": func(int) error { return raw(unix.SYS_CLONE, uintptr(unix.SIGCHLD)) },
		// The flags are the number of a call that is allowed with arguments like these.
		"disguised fork": func(int) error { return raw(unix.SYS_CLONE, unix.SYS_MMAP) },
		"signal":         func(parent int) error { return raw(unix.SYS_TGKILL, uintptr(parent), uintptr(parent), 0) }, //nolint:gosec // a process id
		"trace":          func(parent int) error { return unix.PtraceAttach(parent) },
		"limit":          func(int) error { return syscall.Setrlimit(syscall.RLIMIT_CPU, &syscall.Rlimit{Cur: 1, Max: 1}) },
		"code": func(int) error {
			_, err := unix.Mmap(-1, 0, os.Getpagesize(), unix.PROT_READ|unix.PROT_EXEC, unix.MAP_PRIVATE|unix.MAP_ANON)
			return err
		},
		"more code": func(int) error {
			page, err := unix.Mmap(-1, 0, os.Getpagesize(), unix.PROT_READ|unix.PROT_WRITE, unix.MAP_PRIVATE|unix.MAP_ANON)
			if err != nil {
				return err
			}
			return unix.Mprotect(page, unix.PROT_READ|unix.PROT_EXEC)
		},
		"spin": func(int) error {
			for { //nolint:staticcheck // it is to take time
			}
		},
		"bomb": func(int) error {
			for {
				hoard = append(hoard, make([]byte, 64<<20))
			}
		},
		"hoard": func(int) error {
			held := make([]byte, 128<<20)
			for i := 0; i < len(held); i += os.Getpagesize() {
				held[i] = 1
			}
			hoard = append(hoard, held)
			return errors.New("that is all")
		},
	}
}

// hoard is what a worker of this test holds.
var hoard [][]byte

func opened(file *os.File, err error) error {
	if err == nil {
		file.Close()
	}
	return err
}

// forbid makes a kernel that does not know some calls.
func forbid(calls []string) error {
	return seccomp.LoadFilter(seccomp.Filter{
		NoNewPrivs: true, Flag: seccomp.FilterFlagTSync,
		Policy: seccomp.Policy{
			DefaultAction: seccomp.ActionAllow,
			Syscalls:      []seccomp.SyscallGroup{{Action: seccomp.ActionErrno | seccomp.Action(unix.ENOSYS), Names: calls}},
		},
	})
}
