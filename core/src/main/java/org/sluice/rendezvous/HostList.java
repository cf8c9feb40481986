package org.sluice.rendezvous;

import java.util.ArrayList;
import java.util.List;
import org.sluice.ConfigException;

/**
 * Host names as Slurm abbreviates them: {@code node[01-03,07],gpu-a[1-2]b[3-4],login}. A number keeps its leading zeros, and of several
 * brackets the last one counts fastest.
 */
public final class HostList {
    private static final int MOST_HOSTS = 65_536;

    private HostList() {}

    /** All names, in order. @throws ConfigException when the text is no such list, or one of more than 65536 hosts */
    public static List<String> expand(String text) {
        List<String> all = new ArrayList<>();
        int from = 0;
        int depth = 0;
        for (int i = 0; i <= text.length(); i++) {
            char c = i < text.length() ? text.charAt(i) : ',';
            if (c == '[') {
                depth++;
            } else if (c == ']') {
                depth--;
            } else if (c == ',' && depth == 0) {
                String word = text.substring(from, i).strip();
                if (!word.isEmpty()) {
                    word(text, word, all);
                }
                from = i + 1;
            }
            if (depth < 0 || depth > 1) {
                throw broken(text);
            }
        }
        if (depth != 0 || all.isEmpty()) {
            throw broken(text);
        }
        return List.copyOf(all);
    }

    private static void word(String text, String word, List<String> all) {
        int open = word.indexOf('[');
        if (open < 0) {
            add(text, word, all);
            return;
        }
        int close = word.indexOf(']', open);
        String before = word.substring(0, open);
        String after = word.substring(close + 1);
        for (String range : word.substring(open + 1, close).split(",", -1)) {
            String[] ends = range.strip().split("-", -1);
            String first = ends[0];
            String last = ends[ends.length - 1];
            if (ends.length > 2 || !first.matches("\\d{1,9}") || !last.matches("\\d{1,9}")) {
                throw broken(text);
            }
            int to = Integer.parseInt(last);
            for (int n = Integer.parseInt(first); n <= to; n++) {
                word(
                        text,
                        before
                                + "0"
                                        .repeat(Math.max(
                                                0,
                                                first.length()
                                                        - Integer.toString(n).length()))
                                + n
                                + after,
                        all);
            }
        }
    }

    private static void add(String text, String name, List<String> all) {
        if (all.size() == MOST_HOSTS) {
            throw new ConfigException("the list of hosts " + shown(text) + " has more than " + MOST_HOSTS);
        }
        all.add(name);
    }

    private static ConfigException broken(String text) {
        return new ConfigException(
                "'" + shown(text) + "' is no list of hosts as Slurm writes it: node[01-03,07],login");
    }

    private static String shown(String text) {
        return text.length() <= 80 ? text : text.substring(0, 80) + "...";
    }
}
