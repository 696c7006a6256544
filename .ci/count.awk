# Reads the output of "go test -v": shows what a person wants to see of it and
# closes with a line that machines count.
/^ *--- PASS/ { passed++; next }
/^ *--- FAIL/ { failed++; print; next }
/^ *--- SKIP/ { skipped++; print; next }
/^=== (RUN|PAUSE|CONT|NAME)/ { next }
/^(ok|FAIL|panic|---|#|\?)/ { print; if ($0 ~ /^(FAIL|panic)/) broken++; next }
/not run:/ { print; next }
failed || broken || VERBOSE { print }
{ tail[NR % 400] = $0 }
END {
	if (broken && !failed) { for (i = NR + 1; i <= NR + 400; i++) if (tail[i % 400] != "") print tail[i % 400]; failed = 1 }
	printf "%d passed, %d failed, %d skipped\n", passed, failed, skipped
	exit failed > 0
}
