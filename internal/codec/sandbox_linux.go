//go:build !asan

package codec

import (
	"errors"
	"fmt"
	"os"
	"runtime"
	"syscall"

	"github.com/elastic/go-seccomp-bpf"
	"github.com/landlock-lsm/go-landlock/landlock"
	landlocksys "github.com/landlock-lsm/go-landlock/landlock/syscall"
	"golang.org/x/sys/unix"
)

// lockDown takes from this process all files, network, programs and calls that
// decoding does not need, for ever and in all its threads. What is open stays open.
func lockDown() (sandbox, error) {
	var s sandbox
	var lacks error
	if abi, err := landlocksys.LandlockGetABIVersion(); err != nil || abi < 1 {
		lacks = fmt.Errorf("ask for Landlock: %w", err)
	} else if err := landlock.V11.BestEffort().Restrict(); err != nil { // no rule: nothing is allowed
		lacks = fmt.Errorf("restrict by Landlock: %w", err)
	} else {
		s.landlock = abi
	}
	// Whatever makes a file descriptor fails. Landlock needed one.
	if err := limitSelf("open files", syscall.RLIMIT_NOFILE, 0); err != nil {
		return sandbox{}, err
	}
	if err := restrictCalls(); err != nil {
		lacks = errors.Join(lacks, err)
	} else {
		s.seccomp = true
	}
	if lacks != nil {
		s.lacks = lacks.Error()
	}
	return s, nil
}

// Calls that Go's runtime, the C library and the decoders make with what they have. The rest, and the wrong arguments of
// some of these (see callRules), end the process.
//
//nolint:gochecknoglobals // a constant table
var allowedCalls = []string{
	// The socket and the pipe of the pool, and standard error.
	"read", "write", "close", "epoll_pwait", "epoll_ctl",
	// Memory.
	"brk", "mmap", "mprotect", "mremap", "munmap", "madvise",
	// Threads of this process.
	"clone", "exit", "exit_group", "futex", "gettid", "getpid", "rseq", "sched_getaffinity", "sched_yield", "set_robust_list", "tgkill",
	// Signals, by which Go interrupts its own threads.
	"restart_syscall", "rt_sigaction", "rt_sigprocmask", "rt_sigreturn", "sigaltstack",
	// Time, where the kernel has no faster way, and random numbers.
	"clock_gettime", "clock_nanosleep", "getrandom", "gettimeofday", "nanosleep",
	// Names of threads and of memory, for people who look at them.
	"prctl",
}

// callRules are what ends the process although its call is allowed.
func callRules() []seccomp.NameWithConditions {
	rule := func(name string, conditions ...seccomp.Condition) seccomp.NameWithConditions {
		return seccomp.NameWithConditions{Name: name, Conditions: conditions}
	}
	not := func(argument uint32, value uint64) seccomp.Condition {
		return seccomp.Condition{Argument: argument, Operation: seccomp.NotEqual, Value: value}
	}
	executable := seccomp.Condition{Argument: 2, Operation: seccomp.BitsSet, Value: unix.PROT_EXEC}
	return []seccomp.NameWithConditions{
		// No code but that of the program and its libraries.
		rule("mmap", executable),
		rule("mprotect", executable),
		// Threads, but no processes.
		rule("clone", seccomp.Condition{Argument: 0, Operation: seccomp.BitsNotSet, Value: unix.CLONE_THREAD}),
		// No signals to others: the server runs as the same user.
		rule("tgkill", not(0, uint64(os.Getpid()))), //nolint:gosec // never negative
		rule("prctl", not(0, unix.PR_SET_NAME), not(0, unix.PR_SET_VMA)),
	}
}

// restrictCalls loads the filters. The kernel runs all of them and takes the
// strictest answer. Each rule about arguments has a filter of its own: after a rule that did not match, the
// library (v1.6.0) would compare the argument with the number of the next call.
func restrictCalls() error {
	// Without no_new_privs ordinary users may load no filter. It is the thread's, until the filter takes it to all others.
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	if err := seccomp.SetNoNewPrivs(); err != nil {
		return fmt.Errorf("set no_new_privs: %w", err)
	}
	for _, rule := range callRules() {
		err := loadFilter(seccomp.Policy{
			DefaultAction: seccomp.ActionAllow,
			Syscalls: []seccomp.SyscallGroup{{
				Action: seccomp.ActionKillProcess, NamesWithCondtions: []seccomp.NameWithConditions{rule},
			}},
		})
		if err != nil {
			return fmt.Errorf("restrict arguments of %s by seccomp: %w", rule.Name, err)
		}
	}
	err := loadFilter(seccomp.Policy{
		DefaultAction: seccomp.ActionKillProcess,
		Syscalls: []seccomp.SyscallGroup{
			{Action: seccomp.ActionAllow, Names: allowedCalls},
			// Libraries look at /proc or /sys for what the processor can do, on some machines in each thread anew
			// (libjpeg-turbo 2 on arm64), and go on without. So they are refused, not ended.
			{Action: seccomp.ActionErrno | seccomp.Action(unix.EACCES), Names: []string{"openat"}},
			// The filter cannot see its flags. Without it the C library takes clone.
			{Action: seccomp.ActionErrno | seccomp.Action(unix.ENOSYS), Names: []string{"clone3"}},
		},
	})
	if err != nil {
		return fmt.Errorf("restrict system calls by seccomp: %w", err)
	}
	return nil
}

func loadFilter(policy seccomp.Policy) error {
	return seccomp.LoadFilter(seccomp.Filter{Flag: seccomp.FilterFlagTSync, Policy: policy})
}
