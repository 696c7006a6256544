// Command demo shows esgen at work: it makes a new service in a scratch folder,
// tests it, runs it, posts events, reads the views, and says how to go on.
//
//	go run ./testdata/demo bin/esgen
package main

import (
	"bufio"
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"strings"
)

func main() {
	if len(os.Args) != 2 {
		fmt.Fprintln(os.Stderr, "usage: demo path/to/esgen")
		os.Exit(2)
	}
	if err := demo(os.Args[1]); err != nil {
		fmt.Fprintln(os.Stderr, "demo:", err)
		os.Exit(1)
	}
}

func demo(tool string) error {
	tool, err := filepath.Abs(tool)
	if err != nil {
		return err
	}
	scratch, err := os.MkdirTemp("", "esgen-demo-")
	if err != nil {
		return err
	}
	defer os.RemoveAll(scratch)
	shop := filepath.Join(scratch, "shop")

	say("A new service, from one schema")
	if err := show(scratch, tool, "init", "shop", "--module", "example.com/shop"); err != nil {
		return err
	}
	say("It builds and passes its tests as it is")
	if err := show(shop, "go", "build", "./..."); err != nil {
		return err
	}
	if err := show(shop, "go", "test", "./views/..."); err != nil {
		return err
	}
	say("It runs on this machine, on one file")
	base, stop, err := serve(shop, tool)
	if err != nil {
		return err
	}
	defer stop()
	if err := talk(base); err != nil {
		return err
	}
	say("Go on")
	fmt.Println(`  export PATH="$PWD/bin:$PATH"
  esgen init shop --module example.com/shop
  cd shop && esgen dev

The README's five minutes add a view of your own.`)
	return nil
}

// talk posts events and reads what became of them.
func talk(base string) error {
	say("Events go in; one of them is refused, one is sent twice")
	for _, body := range []string{
		`{"type": "TaskOpened", "taskId": "t-1", "title": "Paint the fence", "eventId": "e-1"}`,
		`{"type": "TaskOpened", "taskId": "t-1", "title": "Paint the fence", "eventId": "e-1"}`,
		`{"type": "TaskOpened", "taskId": "t-2", "title": "", "priority": "urgent"}`,
		`{"type": "TaskStarted", "taskId": "t-1", "assignee": "ann"}`,
		`{"type": "TaskOpened", "taskId": "t-2", "title": "Call Bob"}`,
	} {
		fmt.Printf("$ curl %s/ -H 'Content-Type: application/json' -d '%s'\n", base, body)
		resp, err := http.Post(base+"/", "application/json", strings.NewReader(body))
		if err := print(resp, err); err != nil {
			return err
		}
	}
	say("Views come out")
	for _, path := range []string{"/t-1?minVersion=2", "/t-2?minVersion=1", "/?status=started", "/events/t-1"} {
		fmt.Printf("$ curl '%s%s'\n", base, path)
		resp, err := http.Get(base + path)
		if err := print(resp, err); err != nil {
			return err
		}
	}
	return nil
}

func print(resp *http.Response, err error) error {
	if err != nil {
		return err
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(resp.Body)
	if err != nil {
		return err
	}
	var pretty bytes.Buffer
	if json.Indent(&pretty, body, "", "  ") != nil {
		return fmt.Errorf("%s: not JSON: %q", resp.Request.URL, body)
	}
	fmt.Printf("%s\n%s\n\n", resp.Status, pretty.String())
	if resp.StatusCode >= 500 {
		return errors.New("the service failed")
	}
	return nil
}

// serve runs "esgen dev" until it says where the service is.
func serve(dir, tool string) (base string, stop func(), err error) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return "", nil, err
	}
	port := fmt.Sprint(l.Addr().(*net.TCPAddr).Port)
	l.Close()
	fmt.Printf("$ esgen dev --port %s\n", port)
	cmd := exec.Command(tool, "dev", "--port", port)
	cmd.Dir = dir
	cmd.Stderr = os.Stderr
	out, err := cmd.StdoutPipe()
	if err != nil {
		return "", nil, err
	}
	if err := cmd.Start(); err != nil {
		return "", nil, err
	}
	stop = func() { _ = cmd.Process.Signal(os.Interrupt); _ = cmd.Wait() }
	interrupted := make(chan os.Signal, 1)
	signal.Notify(interrupted, os.Interrupt)
	go func() { <-interrupted; stop(); os.Exit(130) }()
	lines := bufio.NewScanner(out)
	for lines.Scan() {
		fmt.Println(lines.Text())
		if strings.Contains(lines.Text(), "http://") {
			go func() { _, _ = io.Copy(io.Discard, out) }()
			return "http://localhost:" + port, stop, nil
		}
	}
	stop()
	return "", nil, errors.New("the service did not start")
}

func say(text string) { fmt.Printf("\n── %s\n\n", text) }

// show runs a command in a folder, as it would be typed there.
func show(dir, name string, args ...string) error {
	fmt.Printf("$ %s %s\n", filepath.Base(name), strings.Join(args, " "))
	cmd := exec.Command(name, args...)
	cmd.Dir, cmd.Stdout, cmd.Stderr = dir, os.Stdout, os.Stderr
	if err := cmd.Run(); err != nil {
		return fmt.Errorf("%s %s: %w", filepath.Base(name), strings.Join(args, " "), err)
	}
	return nil
}
