"""The pure parts of what the tab Leaderboard shows of the votes: results as HTML and charts, no Gradio, no database.

names      contestants with their labels and colours
intro      how many votes there are, what counts and what doesn't, the left's advantage
ratings    ratings with intervals, as a plot and as a table
apart      which two can be told apart, and how many more votes the others take
equal      still preferred when equally easy?
matrix     who beat whom
timeline   votes over time
agreement  whether the votes agree with grade, topic similarity and judge
mirror     whether votes are copied elsewhere, and how old that mirror is
files      votes as files, without what is private
"""
