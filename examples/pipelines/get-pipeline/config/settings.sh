FILE=words.txt
