package lambda_test

import (
	"bufio"
	"context"
	"fmt"
	"os"
	"os/exec"
	"strings"
	"testing"
	"time"

	"github.com/esgen/esgen/esgen/internal/cloud/lambda"
	"github.com/esgen/esgen/esgen/internal/cloud/lambda/lambdatest"
)

// codeOfHost makes this program a host with one function, of the code in that folder, that is busy.
const codeOfHost = "ESGEN_TEST_HOST"

func TestMain(m *testing.M) {
	code := os.Getenv(codeOfHost)
	if code == "" {
		os.Exit(m.Run())
	}
	h := lambda.NewHost(lambda.Options{Region: "eu-north-1", Account: "123456789012", Log: func(_, line string) { fmt.Println(line) }})
	if err := h.Add(lambda.Function{Name: "f", Code: code, Timeout: time.Hour, Architectures: []string{lambdatest.Architecture()}}); err != nil {
		panic(err)
	}
	_, err := h.Invoke(context.Background(), "f", []byte(`{"do":"hold"}`))
	panic(err)
}

func TestFunctionsEndWithTheirHostHoweverItEnds(t *testing.T) {
	host := exec.CommandContext(t.Context(), os.Args[0])
	host.Env = append(os.Environ(), codeOfHost+"="+lambdatest.Build(t))
	out, err := host.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := host.Start(); err != nil {
		t.Fatal(err)
	}
	line, err := bufio.NewReader(out).ReadString('\n')
	if err != nil {
		t.Fatal(err)
	}
	pid := strings.TrimPrefix(strings.TrimSpace(line), "holding ")
	if !runs(pid) {
		t.Fatalf("no process %s", pid)
	}
	if err := host.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	_ = host.Wait() // it was killed
	for deadline := time.Now().Add(patience); runs(pid); time.Sleep(time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatal("the function outlives its host")
		}
	}
}

// runs reports whether a process is there, and not only waits for somebody to take its status.
func runs(pid string) bool {
	stat, err := os.ReadFile("/proc/" + pid + "/stat")
	return err == nil && !strings.Contains(string(stat), ") Z ")
}
