//go:build unix && !linux

package lambda

import (
	"os/exec"
	"syscall"
)

// ownGroup keeps a terminal's Ctrl-C from the function. When we end, its request for the next
// invocation fails, and every runtime ends on that.
func ownGroup(cmd *exec.Cmd) { cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true} }

func killGroup(cmd *exec.Cmd) { _ = syscall.Kill(-cmd.Process.Pid, syscall.SIGKILL) }
